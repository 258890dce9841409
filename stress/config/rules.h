// The rules of docs/rules.md, as the command carries them.
//
// Thread safety: immutable.
#ifndef STRESS_CONFIG_RULES_H_
#define STRESS_CONFIG_RULES_H_

#include <string>
#include <vector>

namespace stress {

struct Rule {
  std::string id;     // "LK02"
  std::string title;  // "Two classes are taken in both orders"
  std::string text;   // Markdown
};

// In the order of the page.
const std::vector<Rule>& Rules();

}  // namespace stress

#endif  // STRESS_CONFIG_RULES_H_
