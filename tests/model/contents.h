// What the pages that a machine shows must hold, wherever they are: a few words of each.
//
// Thread safety: as registers.
#ifndef TESTS_MODEL_CONTENTS_H_
#define TESTS_MODEL_CONTENTS_H_

#include <array>
#include <cstdint>
#include <memory>

#include "tests/model/register.h"
#include "tests/vm/machine.h"

namespace vm {

inline constexpr std::uint32_t kWordsPerPage = 3;
// In its page, of `word`: the first, one in the midst, the last.
constexpr std::uint32_t WordOffset(std::uint32_t word) {
  return word == 0 ? 0 : word == 1 ? 248 : kTestPageSize - 8;
}

class Contents {
 public:
  // Reads as zero.
  Contents() {
    for (std::unique_ptr<Register>& word : words_) word = std::make_unique<Register>();
  }
  // What `other` may have held at some time between.
  Contents(const Contents& other, Time begin, Time now,
           Register::Copied copied = Register::Copied::kNow) {
    for (std::uint32_t word = 0; word < kWordsPerPage; ++word)
      words_[word] = std::make_unique<Register>(*other.words_[word], begin, now, copied);
  }
  Contents(const Contents&) = delete;

  Register& word(std::uint32_t number) { return *words_[number]; }
  template <typename Act>
  void ForEach(Act act) {
    for (const std::unique_ptr<Register>& word : words_) act(*word);
  }

 private:
  std::array<std::unique_ptr<Register>, kWordsPerPage> words_;
};

}  // namespace vm

#endif  // TESTS_MODEL_CONTENTS_H_
