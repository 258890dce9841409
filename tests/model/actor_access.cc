// Loads, stores and loans.
#include <cstring>

#include "tests/model/actor.h"
#include "vm/page_cow.h"

namespace vm {
namespace {

std::string Place(Address va, std::uint32_t word) {
  return "page " + std::to_string(va / kTestPageSize) + " word " + std::to_string(word);
}

ModelPage* PageAt(SpaceModel& space, Address va) {
  const auto page = space.pages.find(va);
  return page == space.pages.end() ? nullptr : &page->second;
}

}  // namespace

void Actor::Load(SpaceModel& space, Address va, std::uint32_t word) {
  const ModelPage* page = PageAt(space, va);
  const Attempt attempt = Begin();
  std::uint64_t value = 0;
  const Result result = space.space->Load(AnyCpu(), va + WordOffset(word), &value);
  const Results must = MustSay(page, Protection::kRead, attempt);
  if (!Judge(space, attempt, result, must, "a load", ReadErrors(attempt))) return;
  if (result != Result::kOk) return;
  Register& memory = space.ContentsOf(*page).word(word);
  if (memory.Loaded(value, attempt.begin, world_.clock.Now())) return;
  std::string possible;
  for (const std::uint64_t each : memory.Possible(attempt.begin, world_.clock.Now()))
    possible += " " + std::to_string(each);
  FailModel("a load of " + Place(va, word) + " gives " + std::to_string(value) +
            ", and must give one of" + possible);
}

void Actor::Store(SpaceModel& space, Address va, std::uint32_t word) {
  ModelPage* page = PageAt(space, va);
  const std::uint64_t value = world_.last_value.fetch_add(1, std::memory_order_relaxed) + 1;
  // A private page of a file gets its memory by the store.
  const bool copies =
      page != nullptr && page->kind == Kind::kPrivateFile && page->memory->own == nullptr;
  const Attempt attempt = Begin();
  if (page != nullptr && !copies)
    space.ContentsOf(*page).word(word).BeginStore(value, attempt.begin);
  const Result result = space.space->Store(AnyCpu(), va + WordOffset(word), value);
  const Results must = MustSay(page, Protection::kWrite, attempt);
  const bool said = Judge(space, attempt, result, must, "a store", ReadErrors(attempt));
  const Time now = world_.clock.Now();
  if (page == nullptr) return;
  if (copies) {
    if (!said) GiveUp(space, {.start = va, .pages = 1});
    if (result != Result::kOk) return;
    SpaceModel::CopyFromFile(*page, attempt.begin, now);
    space.ContentsOf(*page).word(word).BeginStore(value, now);
  }
  const bool stored = result == Result::kOk;
  Register& memory = space.ContentsOf(*page).word(word);
  memory.EndStore(value, now, stored ? Register::Outcome::kDone : Register::Outcome::kNotDone);
  const FileLife* file = SpaceModel::FileOf(*page);
  if (!stored || file == nullptr || !file->MayEndBefore(page->index, word, attempt.begin, now))
    return;
  // The file does not keep it.
  memory.BeginForget(now);
  memory.EndForget(now);
}

std::uint64_t Actor::WordOf(const Page& page, std::uint32_t word) {
  std::uint64_t value;
  std::memcpy(&value, &world_.system.FrameBytes(page)[WordOffset(word)], sizeof(value));
  return value;
}

void Actor::Lend(SpaceModel& space, Address va) {
  const ModelPage* page = PageAt(space, va);
  const Attempt attempt = Begin();
  Loan loan{};
  const Result result = space.space->LendPage(va, &loan.page);
  Results must = MustSay(page, Protection::kRead, attempt);
  const bool lendable =
      page == nullptr || (page->kind != Kind::kDevice && page->kind != Kind::kPhysical);
  if (must.Has(Result::kOk) && !lendable) must = {Result::kNoSpace};
  if (!Judge(space, attempt, result, must, "lending", ReadErrors(attempt))) return;
  if (result != Result::kOk) return;
  for (std::uint32_t word = 0; word < kWordsPerPage; ++word) {
    loan.words[word] = WordOf(*loan.page, word);
    if (!space.ContentsOf(*page).word(word).Loaded(loan.words[word], attempt.begin,
                                                   world_.clock.Now()))
      FailModel("a page is lent that does not hold what was stored to it");
  }
  loans_.push_back(loan);
}

void Actor::CheckLoan(const Loan& loan) {
  for (std::uint32_t word = 0; word < kWordsPerPage; ++word)
    if (WordOf(*loan.page, word) != loan.words[word]) FailModel("a page changed while it was lent");
}

void Actor::Return(std::uint32_t which) {
  if (loans_.empty()) return;
  const auto loan = loans_.begin() + static_cast<std::ptrdiff_t>(which % loans_.size());
  CheckLoan(*loan);
  ReturnPage(world_.system, *loan->page);
  loans_.erase(loan);
}

}  // namespace vm
