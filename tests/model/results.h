// What an operation may say.
#ifndef TESTS_MODEL_RESULTS_H_
#define TESTS_MODEL_RESULTS_H_

#include <cstdint>
#include <initializer_list>
#include <string>

#include "vm/types.h"

namespace vm {

class Results {
 public:
  constexpr Results(std::initializer_list<Result> results) {
    for (const Result result : results) Add(result);
  }
  constexpr void Add(Result result) { bits_ |= Bit(result); }
  constexpr bool Has(Result result) const { return (bits_ & Bit(result)) != 0; }
  std::string Names() const {
    std::string names;
    for (auto number = 0u; bits_ >> number != 0; ++number)
      if (const auto result = static_cast<Result>(number); Has(result))
        names += std::string(names.empty() ? "" : " or ") + ResultName(result);
    return names;
  }

 private:
  static constexpr std::uint32_t Bit(Result result) {
    return 1u << static_cast<std::uint32_t>(result);
  }
  std::uint32_t bits_ = 0;
};

}  // namespace vm

#endif  // TESTS_MODEL_RESULTS_H_
