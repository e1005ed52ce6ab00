import os

import stand_in

stand_in.run("analytics", int(os.environ.get("ANALYTICS_INTERNAL_PORT", "0")))
