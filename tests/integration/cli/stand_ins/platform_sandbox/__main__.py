import os

import stand_in

stand_in.run("acquirer", int(os.environ["ACQUIRER_PORT"]))
