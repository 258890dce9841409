// Dies in the way it is told to, watched as a command is: crash_program HOW FILE, where HOW is the
// name of a signal, "poke", "free" or "overflow".
#include <signal.h>

#include <climits>
#include <cstdio>
#include <memory>
#include <string>

#include "locking/thread.h"
#include "stress/host/crash.h"
#include "stress/report/run_report.h"

namespace crash_program {

__attribute__((noinline)) void Poke() {
  volatile std::uintptr_t address = 0x1000;
  *reinterpret_cast<volatile int*>(address) = 1;
}

// AddressSanitizer reports it.
__attribute__((noinline)) void UseAfterFree() {
  auto owner = std::make_unique<int>(1);
  volatile int* left = owner.get();
  owner.reset();
  *left = 2;
}

// UndefinedBehaviorSanitizer reports it.
__attribute__((noinline)) int Overflow(volatile int* number) {
  *number = INT_MAX;
  return *number + 1;
}

int Die(const std::string& how) {
  volatile int number = 0;
  if (how == "poke") Poke();
  if (how == "free") UseAfterFree();
  if (how == "overflow") return Overflow(&number);
  for (const auto& [name, signal] : {std::pair{"SIGSEGV", SIGSEGV},
                                     {"SIGBUS", SIGBUS},
                                     {"SIGABRT", SIGABRT},
                                     {"SIGILL", SIGILL},
                                     {"SIGFPE", SIGFPE}})
    if (how == name) raise(signal);
  return 0;
}

}  // namespace crash_program

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const stress::OutputFile file("--json", argv[2]);
  stress::CrashWatch watch(&file);
  const locking::Finding blank = stress::BlankFinding("the command \"again\"");
  watch.Prepare(stress::JsonText({{"failures", {stress::FindingJson(blank)}}}),
                "failure " + blank.id + "\n");
  locking::Thread dying("dying", [&] { crash_program::Die(argv[1]); });
  dying.Join();
  return 0;
}
