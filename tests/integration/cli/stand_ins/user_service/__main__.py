import os

import stand_in

stand_in.run("user", int(os.environ.get("USER_INTERNAL_PORT", "0")))
