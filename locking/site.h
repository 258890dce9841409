// A call site of locking/: file, line and function, one pointer wide. Default arguments pass it, so
// that every report and every scheduling point names the line that the user wrote.
#ifndef LOCKING_SITE_H_
#define LOCKING_SITE_H_

#include <cstdint>
#include <source_location>
#include <string>

namespace locking {

using Site = std::source_location;

// "vm/fault.cc:88"
std::string FormatSite(const Site& site);
// Depends on file and line alone, not on an address.
std::uint64_t HashSite(const Site& site);

}  // namespace locking

#endif  // LOCKING_SITE_H_
