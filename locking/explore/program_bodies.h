// The bodies of programs.h, by what goes wrong. Internal to locking/explore.
#ifndef LOCKING_EXPLORE_PROGRAM_BODIES_H_
#define LOCKING_EXPLORE_PROGRAM_BODIES_H_

namespace locking::explore::programs {

enum class Bug { kPresent, kMended };

// programs_order.cc: an order of operations that nobody forbids.
void Account();
void BankTransfer(Bug bug);
void Bluetooth();
void Lazy();
void LostUpdate(Bug bug);
void Reorder(int setters, int checkers);
void StringBuffer(Bug bug);
void TokenRing();
void TwoStage(int first_stages);
void WrongLock(int under_one, int under_others);

// programs_blocking.cc: threads that wait for ever.
void Abba(Bug bug);
void BoundedBuffer(Bug bug);
void Carter();
void DiningPhilosophers(int philosophers, Bug bug);
void InversionApart(Bug bug);
void JoinUnderLock();
void LostWakeup(Bug bug);
void ReadersAgain();
void ReadersInversion(Bug bug);
void SpinHandOver(Bug bug);

// programs_resources.cc: threads that wait for ever, for something that is no lock.
void BusyPage(Bug bug);
void EventUnderLock(Bug bug);
void PageDaemonLock(Bug bug);
void Pool(Bug bug);
void Semaphores(Bug bug);

// programs_interrupts.cc: what a handler takes is held where it may come.
void InterruptInversion(Bug bug);
void InterruptInversionBetweenTwo(Bug bug);
void InterruptWakeup(Bug bug);

}  // namespace locking::explore::programs

#endif  // LOCKING_EXPLORE_PROGRAM_BODIES_H_
