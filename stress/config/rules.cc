#include "stress/config/rules.h"

#include <sstream>
#include <string_view>

#include "stress/config/embedded.h"

namespace stress {
namespace {

// "### LK02 Two classes are taken in both orders" begins a rule, any other heading ends it.
std::vector<Rule> Parse(const std::string& page) {
  constexpr std::string_view kRule = "### ";
  std::vector<Rule> rules;
  bool inside = false, fence = false;
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) fence = !fence;
    if (!fence && line.starts_with('#')) {
      inside = line.starts_with(kRule);
      if (!inside) continue;
      const std::size_t space = line.find(' ', kRule.size());
      rules.push_back(
          {line.substr(kRule.size(), space - kRule.size()), line.substr(space + 1), ""});
    } else if (inside && !(rules.back().text.empty() && line.empty())) {
      rules.back().text += line + "\n";
    }
  }
  for (Rule& rule : rules)
    while (rule.text.ends_with("\n\n")) rule.text.pop_back();
  return rules;
}

}  // namespace

const std::vector<Rule>& Rules() {
  static const auto* rules =
      new std::vector<Rule>(Parse(std::string(EmbeddedRules().front().text)));
  return *rules;
}

}  // namespace stress
