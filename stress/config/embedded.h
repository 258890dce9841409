// Text files that the binary carries with it; embed.py writes the functions at build time.
//
// Thread safety: pure functions.
#ifndef STRESS_CONFIG_EMBEDDED_H_
#define STRESS_CONFIG_EMBEDDED_H_

#include <string_view>
#include <vector>

namespace stress {

struct EmbeddedFile {
  std::string_view name;  // without what follows the dot
  std::string_view text;
};

// stress/scenarios/, in order of name.
std::vector<EmbeddedFile> EmbeddedScenarios();
// ci/lock_order.toml, alone.
std::vector<EmbeddedFile> EmbeddedOrderBook();
// docs/rules.md, alone.
std::vector<EmbeddedFile> EmbeddedRules();

}  // namespace stress

#endif  // STRESS_CONFIG_EMBEDDED_H_
