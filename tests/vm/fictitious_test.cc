// Fictitious pages: mapped and touched like others, and never taken for the page of their frame.
#include "vm/fictitious.h"

#include "tests/vm/machine.h"
#include "vm/check.h"
#include "vm/page_alloc.h"
#include "vm/page_busy.h"

namespace vm {
namespace {

// An object that shows three frames behind the machine's memory, and one of a page of it.
class FictitiousTest : public testing::Test {
 protected:
  static constexpr std::uint32_t kPages = 64;
  static constexpr Frame kOfMemory = 7;

  FictitiousTest() {
    object_ = AllocateObject(system_, ObjectType::kDefault, 4);
    ObjectGuard guard(object_->lock);
    for (Pindex i = 0; i < 4; ++i)
      InsertPage(system_, *object_, i, pages_.Take(i < 3 ? kPages + i : kOfMemory));
  }
  ~FictitiousTest() override {
    {
      ObjectGuard guard(object_->lock);
      pmap_.Remove(0, pmap_.limit());
      for (Pindex i = 0; i < 4; ++i) {
        Page* page = LookupPage(*object_, i);
        FreePage(system_, *object_, *page);
        EXPECT_EQ(page->object, nullptr);
        pages_.Return(*page);
      }
    }
    EXPECT_EQ(pages_.in_use(), 0u);
    DeallocateObject(system_, object_);
    pmap_.Destroy();
    system_.ReturnPmap(&pmap_);
    EXPECT_EQ(system_.free_queue().free_count(), kPages);
    for (const locking::Finding& finding : CheckNoLeaks(system_))
      ADD_FAILURE() << locking::FormatFinding(finding);
  }
  Page& PageAt(Pindex index) LOCKING_NO_ANALYSIS { return *LookupPage(*object_, index); }
  void Enter(Pindex index) {
    ObjectGuard guard(object_->lock);
    EXPECT_EQ(pmap_.Enter(index * kTestPageSize, PageAt(index), Protection::kReadWrite, false),
              Result::kOk);
  }
  bool Store(Pindex index, std::uint64_t value) {
    return system_.cpu(0).Store(pmap_, index * kTestPageSize, value) == Cpu::Access::kDone;
  }

  System system_{{.pages = kPages, .page_size = kTestPageSize, .cpus = 1, .device_frames = 3}};
  FictitiousPages& pages_ = system_.fictitious_pages();
  Pmap& pmap_ = *system_.TakePmap();
  Object* object_;
};

TEST_F(FictitiousTest, ADeviceIsMappedAndTouched) {
  Enter(1);
  EXPECT_TRUE(Store(1, 77));
  std::uint64_t value = 0;
  EXPECT_EQ(system_.cpu(0).Load(pmap_, kTestPageSize, &value), Cpu::Access::kDone);
  EXPECT_EQ(value, 77u);
  EXPECT_EQ(static_cast<std::uint8_t>(system_.FrameBytes(kPages + 1)[0]), 77);
  EXPECT_EQ(system_.pv_lists().in_use(), 0u);
}

TEST_F(FictitiousTest, WhatAMappingModifiedIsNotThePagesOfItsFrame) {
  Enter(3);
  EXPECT_TRUE(Store(3, 1));
  pmap_.Remove(0, pmap_.limit());
  EXPECT_EQ(system_.PageOfFrame(kOfMemory).dirty.Peek(), 0u);
  EXPECT_EQ(system_.PageOfFrame(kOfMemory).pv_first, nullptr);
}

// D09
TEST_F(FictitiousTest, ItsOneWiringStaysWhateverIsWired) {
  PageQueues& queues = system_.queues();
  for (const Pindex index : {1u, 3u}) {
    PageRoleGuard guard(queues.PageLock(PageAt(index)));
    queues.Wire(PageAt(index));
    EXPECT_EQ(PageAt(index).wire_count, 1);
    EXPECT_FALSE(queues.Unwire(PageAt(index), PageQueues::Then::kActivate));
    EXPECT_EQ(PageAt(index).wire_count, 1);
  }
  EXPECT_EQ(system_.PageOfFrame(kOfMemory).wire_count, 0);
  EXPECT_EQ(queues.wired_count(), 0u);
}

TEST_F(FictitiousTest, IsNeverQueued) {
  PageRoleGuard guard(system_.queues().PageLock(PageAt(0)));
  system_.queues().Activate(PageAt(0));
  EXPECT_EQ(PageAt(0).queue, PageQueue::kNone);
  system_.queues().Deactivate(PageAt(0));
  EXPECT_EQ(PageAt(0).queue, PageQueue::kNone);
}

TEST_F(FictitiousTest, IsBusiedLikeAnother) {
  ObjectGuard guard(object_->lock);
  BusyPage(*object_, PageAt(0));
  EXPECT_TRUE(PageAt(0).exclusively_busy());
  UnbusyPage(system_, *object_, PageAt(0));
}

TEST_F(FictitiousTest, ItsDescriptorIsUsedAgain) {
  Page& page = pages_.Take(kPages);
  pages_.Return(page);
  EXPECT_EQ(&pages_.Take(kPages + 1), &page);
  EXPECT_EQ(page.frame, kPages + 1);
  pages_.Return(page);
}

using FictitiousDeathTest = FictitiousTest;

TEST_F(FictitiousDeathTest, Inv02AFictitiousPageIsReturnedThatIsInAnObject) {
  EXPECT_DEATH(pages_.Return(PageAt(0)), "INV-02.*returned that is in use");
}

TEST_F(FictitiousDeathTest, Inv02AFictitiousPageIsReturnedThatIsInUse) {
  Page& page = pages_.Take(kPages);
  EXPECT_DEATH(
      {
        page.shared_busy = 1;
        pages_.Return(page);
      },
      "INV-02");
  EXPECT_DEATH(
      {
        page.hold_count = 1;
        pages_.Return(page);
      },
      "INV-02");
  EXPECT_DEATH(
      {
        page.wire_count = 2;
        pages_.Return(page);
      },
      "INV-02");
  EXPECT_DEATH(pages_.Return(system_.pages().front()), "INV-02.*or is none");
  pages_.Return(page);
}

TEST_F(FictitiousDeathTest, Inv10AFictitiousPageBecomesSomethingElse) {
  EXPECT_DEATH(ChangeIdentity(PageAt(0), PageIdentity::kFree), "INV-10.*fictitious to free");
}

}  // namespace
}  // namespace vm
