import os

import stand_in

stand_in.run("listing", int(os.environ.get("LISTING_INTERNAL_PORT", "0")))
