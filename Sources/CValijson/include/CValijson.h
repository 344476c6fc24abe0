// A C face of valijson over nlohmann-json (Debian's libvalijson-dev) for JSON Schema.
#pragma once
