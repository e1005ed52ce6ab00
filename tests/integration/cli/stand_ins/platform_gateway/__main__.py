import os

import stand_in

stand_in.run("gateway", int(os.environ["GATEWAY_PORT"]))
