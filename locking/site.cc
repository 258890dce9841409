#include "locking/site.h"

#include "locking/hash.h"

namespace locking {

std::string FormatSite(const Site& site) {
  return std::string(site.file_name()) + ":" + std::to_string(site.line());
}

std::uint64_t HashSite(const Site& site) {
  return HashCombine(HashString(site.file_name()), site.line());
}

}  // namespace locking
