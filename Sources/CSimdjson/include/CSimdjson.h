// A C face of simdjson (Debian's libsimdjson-dev) for payload look-ups.
#pragma once
