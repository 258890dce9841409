// Prints the words of scenario files, for libFuzzer's -dict: all keys and choices there are.
#include <cstdio>
#include <set>
#include <string>

#include "stress/config/scenario.h"
#include "stress/workers/kinds.h"

namespace {

void Add(const stress::Setting& setting, std::set<std::string>* words) {
  words->insert(setting.key);
  if (*setting.fallback != '\0') words->insert(setting.fallback);
  for (const stress::Choice& choice : setting.choices) words->insert(choice.name);
}

}  // namespace

int main() {
  std::set<std::string> words = {"[machine]", "[run]",  "[faults]", "[[worker]]",
                                 "kind",      "weight", "count"};
  for (const stress::Setting& setting : stress::AllSettings()) Add(setting, &words);
  for (const stress::WorkerKindInfo& kind : stress::WorkerKinds()) {
    words.insert(kind.name);
    for (const stress::Setting& parameter : kind.parameters) Add(parameter, &words);
  }
  for (const std::string& word : words) std::printf("\"%s\"\n", word.c_str());
}
