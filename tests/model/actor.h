// One thread's use of the machine: applies operations to the machine and to the model, and ends the
// execution where they disagree: a load that gives what it cannot give, an operation with another
// result than it must have.
//
// What the model leaves open: an operation may be out of memory if it waited for pages, or if its
// space may not be charged for more, and may fail by I/O if the stores did meanwhile.
#ifndef TESTS_MODEL_ACTOR_H_
#define TESTS_MODEL_ACTOR_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tests/model/operation.h"
#include "tests/model/space_model.h"

namespace vm {

class Actor {
 public:
  // `shared`: a space that others use too, or nullptr; its mappings stay.
  Actor(ModelWorld& world, SpaceModel* shared);

  void Apply(const Operation& operation);
  // What may be used is not exceeded.
  void CheckBounds();
  // Looks at all memory of its own.
  void CheckAll();
  // Looks at the shared space.
  void CheckShared();
  // Gives back everything that it has, the shared space aside.
  void Finish();

 private:
  using Range = SpaceModel::Range;

  // An operation under way, and what it may fail by.
  struct Attempt {
    Time begin;
    std::uint64_t page_waits;
  };
  Attempt Begin();
  bool MayLackMemory(const SpaceModel& space, const Attempt& attempt) const;
  // What the stores may have made of it.
  Results ReadErrors(const Attempt& attempt) const;
  Results WriteErrors(const Attempt& attempt) const;
  // `result` is one of `must`, or may be an error that the model leaves open, by memory or one of
  // `errors`: then false.
  bool Judge(const SpaceModel& space, const Attempt& attempt, Result result, Results must,
             const char* what, Results errors = {}) const;
  // What an access to a page must say that ended just now.
  Results MustSay(const ModelPage* page, Protection access, const Attempt& attempt) const;

  // actor_access.cc
  void Load(SpaceModel& space, Address va, std::uint32_t word);
  void Store(SpaceModel& space, Address va, std::uint32_t word);
  void Lend(SpaceModel& space, Address va);
  void Return(std::uint32_t which);

  // actor_map.cc
  void MapAnonymous(SpaceModel& space, const Operation& operation);
  void MapFile(SpaceModel& space, const Operation& operation);
  void MapObject(SpaceModel& space, const Operation& operation);
  void Mapped(SpaceModel& space, Address start, std::uint32_t count, ModelPage first);
  void Unmap(SpaceModel& space, const Range& range);
  void Protect(SpaceModel& space, const Range& range, std::uint32_t choice);
  void Inherit(SpaceModel& space, const Range& range, std::uint32_t choice);
  void Wire(SpaceModel& space, const Range& range);
  void Unwire(SpaceModel& space, const Range& range);
  void Advise(SpaceModel& space, const Range& range, std::uint32_t choice);
  void Sync(SpaceModel& space, const Range& range, std::uint32_t choice);
  void Query(SpaceModel& space, const Range& range);
  void Fork(std::uint32_t which);
  void Exit(std::uint32_t which);
  void NewSpace(std::uint32_t choice);
  // The private parts of the range may have been copied, or not: does without them.
  void GiveUp(SpaceModel& space, const Range& range);
  // Copies what of a file is in the pages before `end` that are not wired yet.
  void SettleCopies(SpaceModel& space, const Range& range, Address end, Time begin);

  // actor_machine.cc
  void Scan(std::uint32_t pass);
  void Relieve();
  void PageOut(SpaceModel& space, Address va, std::uint32_t choice);
  void Cache(SpaceModel& space, const Range& range);
  void Populate(SpaceModel& space, const Range& range);
  void TakeRun(std::uint32_t choice);
  void GiveRun(std::uint32_t which);
  void Truncate(const Operation& operation);

  SpaceModel& AnySpace(std::uint32_t which);
  bool IsShared(const SpaceModel& space) const { return &space == shared_; }
  Cpu& AnyCpu() { return world_.system.cpu(next_cpu_++ % world_.system.config().cpus); }
  static Range RangeOf(const Operation& operation);
  // Mostly of what is mapped there.
  static Range MappedRangeOf(const SpaceModel& space, const Operation& operation);

  struct Loan {
    Page* page;
    std::array<std::uint64_t, kWordsPerPage> words;
  };
  std::uint64_t WordOf(const Page& page, std::uint32_t word);
  void CheckLoan(const Loan& loan);

  ModelWorld& world_;
  SpaceModel* const shared_;
  std::vector<std::unique_ptr<SpaceModel>> spaces_;  // its own
  std::vector<Loan> loans_;
  std::vector<std::span<Page>> runs_;
  std::vector<std::pair<SpaceModel*, Range>> shared_wirings_;
  std::uint32_t next_cpu_ = 0;
};

}  // namespace vm

#endif  // TESTS_MODEL_ACTOR_H_
