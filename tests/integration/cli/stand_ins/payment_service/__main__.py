import os

import stand_in

stand_in.run("payment", int(os.environ.get("PAYMENT_INTERNAL_PORT", "0")))
