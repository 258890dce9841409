// Fork, copy-on-write, shadow chains and their collapse.
#include <gtest/gtest.h>

#include <vector>

#include "locking/random.h"
#include "locking/thread.h"
#include "tests/vm/paging.h"

namespace vm {
namespace {

TEST(Fork, CopyIsolatesBothDirections) {
  Machine machine;
  Space* parent = machine.system.CreateSpace();
  const Address va = machine.Map(parent, 3);
  machine.Store(parent, va, 1);
  machine.Store(parent, va + kTestPageSize, 2);
  Space* child = parent->Fork();
  ASSERT_NE(child, nullptr);
  machine.Store(parent, va, 10);
  machine.Store(child, va + kTestPageSize, 20);
  EXPECT_EQ(machine.Load(child, va), 1u);
  EXPECT_EQ(machine.Load(parent, va + kTestPageSize), 2u);
  EXPECT_EQ(machine.Load(parent, va), 10u);
  EXPECT_EQ(machine.Load(child, va + kTestPageSize), 20u);
  EXPECT_EQ(machine.Load(child, va + 2 * kTestPageSize), 0u);
  EXPECT_EQ(machine.system.counters().Get(Event::kCowCopy), 2u);
  parent->Exit();
  EXPECT_EQ(machine.Load(child, va), 1u);
  child->Exit();
  EXPECT_EQ(machine.FreePages(), 64u);
}

TEST(Fork, ShareLetsBothSeeWrites) {
  Machine machine;
  Space* parent = machine.system.CreateSpace();
  const Address va = machine.Map(parent, 2, Inheritance::kShare);
  machine.Store(parent, va, 1);
  Space* child = parent->Fork();
  machine.Store(child, va, 2);
  machine.Store(parent, va + kTestPageSize, 3);
  EXPECT_EQ(machine.Load(parent, va), 2u);
  EXPECT_EQ(machine.Load(child, va + kTestPageSize), 3u);
  parent->Exit();
  EXPECT_EQ(machine.Load(child, va), 2u);
  child->Exit();
}

TEST(Fork, NothingIsInheritedWhereTheMappingSaysSo) {
  Machine machine;
  Space* parent = machine.system.CreateSpace();
  const Address va = machine.Map(parent, 1, Inheritance::kNone);
  machine.Store(parent, va, 1);
  Space* child = parent->Fork();
  std::uint64_t value;
  EXPECT_EQ(child->Load(machine.system.cpu(0), va, &value), Result::kInvalidAddress);
  child->Exit();
  parent->Exit();
}

// D44: a sharer's mapping of the page that was copied must go.
TEST(Fork, ACopyIsSeenByAllWhoShareIt) {
  Machine machine;
  Space* grandparent = machine.system.CreateSpace();
  const Address va = machine.Map(grandparent, 1);
  machine.Store(grandparent, va, 1);
  Space* parent = grandparent->Fork();
  EXPECT_EQ(parent->SetInheritance(va, kTestPageSize, Inheritance::kShare), Result::kOk);
  Space* child = parent->Fork();
  EXPECT_EQ(machine.Load(child, va, 1), 1u);  // maps the grandparent's page
  machine.Store(parent, va, 2, 0);            // the shared shadow gets its own
  EXPECT_EQ(machine.Load(child, va, 1), 2u);
  EXPECT_EQ(machine.Load(grandparent, va, 2), 1u);
  child->Exit();
  parent->Exit();
  grandparent->Exit();
  EXPECT_EQ(machine.FreePages(), 64u);
}

TEST(Fork, WhatNobodyElseUsesAnyMoreIsNotCopied) {
  Machine machine;
  Space* parent = machine.system.CreateSpace();
  const Address va = machine.Map(parent, 1);
  machine.Store(parent, va, 1);
  parent->Fork()->Exit();
  machine.Store(parent, va, 2);
  EXPECT_EQ(machine.system.counters().Get(Event::kCowCopy), 0u);
  EXPECT_EQ(machine.ChainLength(parent, va), 1u);
  parent->Exit();
}

TEST(Fork, WiredMemoryIsCopiedAtOnceAndStaysWired) {
  Machine machine;
  Space* parent = machine.system.CreateSpace();
  const Address va = machine.Map(parent, 2);
  machine.Store(parent, va, 1);
  EXPECT_EQ(parent->Wire(va, 2 * kTestPageSize), Result::kOk);
  const Page* wired = machine.FirstPage(parent, va);
  Space* child = parent->Fork();
  machine.Store(parent, va, 2);
  EXPECT_EQ(machine.Load(child, va), 1u);
  EXPECT_EQ(machine.FirstPage(parent, va), wired);
  EXPECT_EQ(wired->wire_count, 1u);
  EXPECT_EQ(machine.FirstPage(child, va)->wire_count, 0u);
  EXPECT_EQ(parent->Unwire(va, 2 * kTestPageSize), Result::kOk);
  child->Exit();
  parent->Exit();
}

TEST(Fork, WiringBreaksCopyOnWrite) {
  Machine machine;
  Space* parent = machine.system.CreateSpace();
  const Address va = machine.Map(parent, 1);
  machine.Store(parent, va, 1);
  Space* child = parent->Fork();
  EXPECT_EQ(child->Wire(va, kTestPageSize), Result::kOk);
  EXPECT_NE(machine.FirstPage(child, va), machine.FirstPage(parent, va));
  machine.Store(child, va, 2);
  EXPECT_EQ(machine.Load(parent, va), 1u);
  child->Exit();
  parent->Exit();
}

TEST(Collapse, ChainIsGoneWhenItsForksHaveExited) {
  Machine machine;
  Space* space = machine.system.CreateSpace();
  const Address va = machine.Map(space, 2);
  machine.Store(space, va, 1);
  machine.Store(space, va + kTestPageSize, 1);  // what no shadow hides
  for (std::uint64_t generation = 2; generation < 20; ++generation) {
    Space* child = space->Fork();
    machine.Store(space, va, generation);
    machine.Store(child, va, 100);
    child->Exit();
    EXPECT_LE(machine.ChainLength(space, va), 2u);
    EXPECT_EQ(machine.Load(space, va), generation);
  }
  EXPECT_GT(machine.system.counters().Get(Event::kCollapse), 0u);
  space->Exit();
  EXPECT_EQ(machine.FreePages(), 64u);
}

TEST(Collapse, KeepsContentOfEveryPage) {
  Machine machine(256);
  Space* space = machine.system.CreateSpace();
  constexpr std::uint32_t kPages = 8;
  const Address va = machine.Map(space, kPages);
  std::uint64_t expected[kPages] = {};
  locking::Random random(7);
  for (std::uint64_t step = 1; step < 400; ++step) {
    const std::uint32_t page = random.Below(kPages);
    machine.Store(space, va + page * kTestPageSize, step);
    expected[page] = step;
    if (step % 5 != 0) continue;
    // The child goes on, the parent exits: what is left is the longer chain.
    Space* child = space->Fork();
    if (random.Percent(50)) {
      space->Exit();
      space = child;
    } else {
      child->Exit();
    }
    for (std::uint32_t p = 0; p < kPages; ++p)
      ASSERT_EQ(machine.Load(space, va + p * kTestPageSize), expected[p]) << "step " << step;
  }
  EXPECT_LE(machine.ChainLength(space, va), 2u);
  space->Exit();
  EXPECT_EQ(machine.FreePages(), 256u);
}

// A shadow that hides all of a shared backer goes around it.
TEST(Collapse, BypassesABackerThatIsHiddenWhole) {
  Machine machine;
  Space* parent = machine.system.CreateSpace();
  const Address va = machine.Map(parent, 1);
  machine.Store(parent, va, 1);
  Space* child = parent->Fork();
  machine.Store(child, va, 2);  // the child's shadow hides the page
  EXPECT_EQ(machine.system.counters().Get(Event::kBypass), 1u);
  EXPECT_EQ(machine.ChainLength(child, va), 1u);
  EXPECT_EQ(machine.Load(parent, va), 1u);
  child->Exit();
  parent->Exit();
}

// What counts is what can be seen through the shadow, and a copy in swap hides like a page.
TEST(Collapse, BypassesABackerOfWhichNothingIsSeen) {
  PagingMachine machine;
  machine.MapPages(4);
  machine.Fill(0, 2);
  Space* child = machine.space->Fork();
  machine.Store(machine.space, machine.At(0) + 8, 1);
  EXPECT_EQ(machine.Count(Event::kBypass), 0u) << "page 1 is seen";
  EXPECT_EQ(machine.PageOut(0, 1), 1u);
  EXPECT_EQ(machine.Evict(0, 1), 1u);
  machine.Store(machine.space, machine.At(1) + 8, 2);
  EXPECT_EQ(machine.Count(Event::kBypass), 1u);
  EXPECT_EQ(machine.ChainLength(machine.space, machine.At(0)), 1u);
  EXPECT_EQ(machine.Load(machine.space, machine.At(0) + 8), 1u);
  EXPECT_EQ(machine.Load(child, machine.At(0) + 8), PagingMachine::ValueOf(0, 0));
  child->Exit();
}

// Its copies in swap are not looked for.
TEST(Collapse, ABackerWithCopiesInSwapIsTakenForOneThatIsSeen) {
  PagingMachine machine;
  machine.MapPages(4);
  machine.Fill(0, 1);
  EXPECT_EQ(machine.PageOut(0, 1), 1u);
  Space* child = machine.space->Fork();
  machine.Store(machine.space, machine.At(0) + 8, 1);
  EXPECT_EQ(machine.Count(Event::kBypass), 0u);
  child->Exit();
  EXPECT_EQ(machine.ChainLength(machine.space, machine.At(0)), 1u);
}

TEST(Collapse, LongChainsEndWithConstantStack) {
  Machine machine(4096, 0);
  Space* space = machine.system.CreateSpace();
  const Address va = machine.Map(space, 2);
  std::vector<Space*> ancestors;
  for (std::uint64_t depth = 0; depth < 1000; ++depth) {
    machine.Store(space, va + (depth % 2) * kTestPageSize, depth);
    ancestors.push_back(space);
    space = space->Fork();
  }
  EXPECT_GT(machine.ChainLength(space, va), 1u);
  EXPECT_EQ(machine.Load(space, va), 998u);
  for (Space* ancestor : ancestors) ancestor->Exit();
  EXPECT_EQ(machine.Load(space, va + kTestPageSize), 999u);
  space->Exit();
  EXPECT_EQ(machine.FreePages(), 4096u);
}

TEST(Fork, TreesOfForksExitInAnyOrderOnManyThreads) {
  Machine machine(512, 0);
  Space* root = machine.system.CreateSpace();
  const Address va = machine.Map(root, 4);
  for (std::uint32_t page = 0; page < 4; ++page)
    machine.Store(root, va + page * kTestPageSize, 1000 + page);
  std::vector<locking::Thread> threads;
  for (std::uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back("forker", [&, t] {
      locking::Random random(t);
      for (std::uint32_t round = 0; round < 50; ++round) {
        Space* child = root->Fork();
        const std::uint32_t page = random.Below(4);
        machine.Store(child, va + page * kTestPageSize, round, t);
        Space* grandchild = child->Fork();
        machine.Store(child, va + page * kTestPageSize, round + 1, t);
        EXPECT_EQ(machine.Load(grandchild, va + page * kTestPageSize, t), round);
        EXPECT_EQ(machine.Load(grandchild, va + (page + 1) % 4 * kTestPageSize, t),
                  1000 + (page + 1) % 4);
        if (random.Percent(50)) std::swap(child, grandchild);
        child->Exit();
        grandchild->Exit();
      }
    });
  }
  for (locking::Thread& thread : threads) thread.Join();
  for (std::uint32_t page = 0; page < 4; ++page)
    EXPECT_EQ(machine.Load(root, va + page * kTestPageSize), 1000 + page);
  root->Exit();
  EXPECT_EQ(machine.FreePages(), 512u);
}

// What the front hides of its backer it hid in order, and the search went along. Behind the backer
// it begins anew.
TEST(Fork, ABypassEndsAtTheObjectThatShowsSomethingInFront) {
  Machine machine;
  Space* parent = machine.system.CreateSpace();
  const Address va = machine.Map(parent, 4);
  machine.Store(parent, va, 7);
  Space* child = parent->Fork();
  for (Address page = 1; page < 4; ++page) machine.Store(child, va + page * kTestPageSize, page);
  Space* grandchild = child->Fork();
  for (Address page = 1; page < 4; ++page)
    machine.Store(grandchild, va + page * kTestPageSize, 10 + page);
  EXPECT_EQ(machine.system.counters().Get(Event::kBypass), 1u);
  EXPECT_EQ(machine.ChainLength(grandchild, va), 2u);
  EXPECT_EQ(machine.Load(grandchild, va), 7u);
  for (Space* space : {grandchild, child, parent}) space->Exit();
}

}  // namespace
}  // namespace vm
