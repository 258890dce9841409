#include "locking/explore/programs.h"

#include <algorithm>

#include "locking/explore/program_bodies.h"

namespace locking::explore {
namespace {

using programs::Bug;

void AddReorder(std::vector<Program>* list, const char* name, int setters, int checkers) {
  list->push_back({name, "setters write a, then b; checkers must see both or none",
                   [=] { programs::Reorder(setters, checkers); }, "CHECK"});
}

void AddOrderPrograms(std::vector<Program>* list) {
  AddReorder(list, "reorder_3", 2, 1);
  AddReorder(list, "reorder_4", 3, 1);
  AddReorder(list, "reorder_5", 4, 1);
  AddReorder(list, "reorder_10", 9, 1);
  AddReorder(list, "reorder_20", 10, 10);
  list->push_back({"account", "the checker, run last, expects a wrong balance",
                   [] { programs::Account(); }, "CHECK"});
  list->push_back({"bank_transfer", "the balance is read before its lock is taken",
                   [] { programs::BankTransfer(Bug::kPresent); }, "CHECK"});
  list->push_back({"bank_transfer_mended", "the balance is read under its lock",
                   [] { programs::BankTransfer(Bug::kMended); }, ""});
  list->push_back({"bluetooth", "a driver's stop flag is tested before its use is counted",
                   [] { programs::Bluetooth(); }, "CHECK"});
  list->push_back({"lazy", "the third thread checks before the others are done",
                   [] { programs::Lazy(); }, "CHECK"});
  list->push_back({"lost_update", "two increments by a load and a store each",
                   [] { programs::LostUpdate(Bug::kPresent); }, "CHECK"});
  list->push_back({"lost_update_mended", "two atomic increments",
                   [] { programs::LostUpdate(Bug::kMended); }, ""});
  list->push_back({"stringbuffer", "append reads a length, then characters that may be gone",
                   [] { programs::StringBuffer(Bug::kPresent); }, "CHECK"});
  list->push_back({"stringbuffer_mended", "append holds the other buffer's lock throughout",
                   [] { programs::StringBuffer(Bug::kMended); }, ""});
  list->push_back({"token_ring", "a relation that holds in one order of blocks alone",
                   [] { programs::TokenRing(); }, "CHECK"});
  list->push_back({"twostage", "the second stage is read before it follows the first",
                   [] { programs::TwoStage(1); }, "CHECK"});
  list->push_back(
      {"twostage_20", "the same with 19 writers", [] { programs::TwoStage(19); }, "CHECK"});
  list->push_back({"wrong_lock", "one thread counts under one lock, four under another",
                   [] { programs::WrongLock(1, 4); }, "CHECK"});
}

void AddBlockingPrograms(std::vector<Program>* list) {
  list->push_back(
      {"abba", "two locks in both orders", [] { programs::Abba(Bug::kPresent); }, "LK09"});
  list->push_back(
      {"abba_mended", "two locks in one order", [] { programs::Abba(Bug::kMended); }, ""});
  list->push_back({"bounded_buffer", "one wakeup on a channel that both sides sleep on",
                   [] { programs::BoundedBuffer(Bug::kPresent); }, "LK10"});
  list->push_back({"bounded_buffer_mended", "a channel for each side",
                   [] { programs::BoundedBuffer(Bug::kMended); }, ""});
  list->push_back(
      {"carter", "entering takes l under m, leaving needs m", [] { programs::Carter(); }, "LK09"});
  for (const int n : {2, 3, 5, 7})
    list->push_back({"dining_" + std::to_string(n), "philosophers who all take the left fork first",
                     [n] { programs::DiningPhilosophers(n, Bug::kPresent); }, "LK09"});
  list->push_back({"dining_3_mended", "one of them takes the right fork first",
                   [] { programs::DiningPhilosophers(3, Bug::kMended); }, ""});
  list->push_back({"inversion_apart", "two orders, one at a start and the other at an end",
                   [] { programs::InversionApart(Bug::kPresent); }, "LK09"});
  list->push_back({"inversion_apart_mended", "the same inside a third lock",
                   [] { programs::InversionApart(Bug::kMended); }, ""});
  list->push_back({"join_under_lock", "the joiner holds the lock that the thread needs",
                   [] { programs::JoinUnderLock(); }, "LK09"});
  list->push_back({"lost_wakeup", "the interlock is given up between the test and the sleep",
                   [] { programs::LostWakeup(Bug::kPresent); }, "LK10"});
  list->push_back({"lost_wakeup_mended", "the sleep gives the interlock up",
                   [] { programs::LostWakeup(Bug::kMended); }, ""});
  list->push_back({"readers_again", "a reader reads again while a writer waits",
                   [] { programs::ReadersAgain(); }, "LK09"});
  list->push_back({"readers_inversion", "both orders with one lock read, and a writer between",
                   [] { programs::ReadersInversion(Bug::kPresent); }, "LK09"});
  list->push_back({"readers_inversion_mended", "nobody writes",
                   [] { programs::ReadersInversion(Bug::kMended); }, ""});
  list->push_back({"spin_hand_over", "a thread spins for what nobody gives",
                   [] { programs::SpinHandOver(Bug::kPresent); }, "LIVELOCK"});
  list->push_back(
      {"spin_hand_over_mended", "it is given", [] { programs::SpinHandOver(Bug::kMended); }, ""});
}

void AddResourcePrograms(std::vector<Program>* list) {
  list->push_back({"busy_page", "a waiter for a busy page keeps a lock that its holder needs",
                   [] { programs::BusyPage(Bug::kPresent); }, "LK09"});
  list->push_back({"busy_page_mended", "the lock is released before the sleep",
                   [] { programs::BusyPage(Bug::kMended); }, ""});
  list->push_back({"event_under_lock", "a waiter for an event keeps a lock that its setter needs",
                   [] { programs::EventUnderLock(Bug::kPresent); }, "LK09"});
  list->push_back({"event_under_lock_mended", "the event is waited for first",
                   [] { programs::EventUnderLock(Bug::kMended); }, ""});
  list->push_back({"page_daemon_lock", "a waiter for free pages keeps a lock that the daemon needs",
                   [] { programs::PageDaemonLock(Bug::kPresent); }, "LK09"});
  list->push_back({"page_daemon_lock_mended", "the lock is released before the sleep",
                   [] { programs::PageDaemonLock(Bug::kMended); }, ""});
  list->push_back({"pool", "three threads take two of three units each",
                   [] { programs::Pool(Bug::kPresent); }, "LK09"});
  list->push_back(
      {"pool_mended", "there is one unit more", [] { programs::Pool(Bug::kMended); }, ""});
  list->push_back({"semaphores", "two semaphores in both orders",
                   [] { programs::Semaphores(Bug::kPresent); }, "LK09"});
  list->push_back({"semaphores_mended", "two semaphores in one order",
                   [] { programs::Semaphores(Bug::kMended); }, ""});
}

void AddInterruptPrograms(std::vector<Program>* list) {
  list->push_back({"interrupt_inversion", "a handler takes a lock that is held with interrupts on",
                   [] { programs::InterruptInversion(Bug::kPresent); }, "LK06"});
  list->push_back({"interrupt_inversion_mended", "interrupts are off while it is held",
                   [] { programs::InterruptInversion(Bug::kMended); }, ""});
  list->push_back({"interrupt_inversion_2",
                   "who holds the handler's lock waits for who is interrupted",
                   [] { programs::InterruptInversionBetweenTwo(Bug::kPresent); }, "LK09"});
  list->push_back({"interrupt_inversion_2_mended", "interrupts are off in the inner lock",
                   [] { programs::InterruptInversionBetweenTwo(Bug::kMended); }, ""});
  list->push_back({"interrupt_wakeup", "the test and the sleep leave interrupts on between them",
                   [] { programs::InterruptWakeup(Bug::kPresent); }, "LK10"});
  list->push_back({"interrupt_wakeup_mended", "interrupts are off from the test to the sleep",
                   [] { programs::InterruptWakeup(Bug::kMended); }, ""});
}

}  // namespace

const std::vector<Program>& Programs() {
  static const std::vector<Program>* programs = [] {
    auto* list = new std::vector<Program>;
    AddOrderPrograms(list);
    AddBlockingPrograms(list);
    AddResourcePrograms(list);
    AddInterruptPrograms(list);
    std::sort(list->begin(), list->end(),
              [](const Program& a, const Program& b) { return a.name < b.name; });
    return list;
  }();
  return *programs;
}

const Program* FindProgram(std::string_view name) {
  for (const Program& program : Programs())
    if (program.name == name) return &program;
  return nullptr;
}

}  // namespace locking::explore
