// Scenario: what a run does, from a TOML file (shipped or the user's) and the flags. Every value
// remembers where it came from, so that a message can say so.
#ifndef STRESS_CONFIG_SCENARIO_H_
#define STRESS_CONFIG_SCENARIO_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "stress/config/setting.h"

namespace stress {

// The values of settings by key; a key that was not given has its default.
class Settings {
 public:
  struct Entry {
    Value value;
    std::string origin;  // "--pages", "mixed.toml:4: pages"
  };

  void Set(std::string_view key, Value value, std::string origin);
  bool Given(std::string_view key) const { return entries_.contains(key); }
  // The value given, else the table's default (0 or "" where that is computed).
  std::uint64_t Number(std::string_view key) const;
  std::string Text(std::string_view key) const;
  bool Enabled(std::string_view key) const { return Number(key) != 0; }
  // Where the value came from; "the default of pages" when it was not given.
  std::string Origin(std::string_view key) const;
  // Values of `other` replace those of this one.
  void Override(const Settings& other);

 private:
  std::map<std::string, Entry, std::less<>> entries_;
};

// A [[worker]] table.
struct WorkerSpec {
  std::string kind;
  std::uint32_t weight = 1;
  std::uint32_t count = 0;  // > 0: so many threads do nothing else, and the weight is not used
  std::map<std::string, Value, std::less<>> parameters;
  std::string where;  // "mixed.toml:12"
};

// A worker kind as the parser needs it.
struct WorkerKindInfo {
  const char* name;
  const char* help;
  std::vector<Setting> parameters;
};

struct Scenario {
  std::string name;         // "mixed", or the path of the file
  std::string description;  // the file's leading comment
  Settings settings;
  std::vector<WorkerSpec> workers;
};

// `name` is used in messages. Throws CommandError (2).
Scenario ParseScenario(std::string_view text, const std::string& name,
                       const std::vector<WorkerKindInfo>& kinds);
// A shipped scenario, or a file when the name holds a '/' or ends in .toml. Throws CommandError
// (2).
Scenario LoadScenario(const std::string& name, const std::vector<WorkerKindInfo>& kinds);

std::string DescriptionOf(std::string_view text);

}  // namespace stress

#endif  // STRESS_CONFIG_SCENARIO_H_
