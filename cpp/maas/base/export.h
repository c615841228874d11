// Marks what programs outside may link: everything else stays inside the library. Plain C reads this too.
#pragma once

#define MAAS_API __attribute__((visibility("default")))
