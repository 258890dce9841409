#include "locking/executor.h"

namespace locking {

const char* PointKindName(PointKind kind) {
  switch (kind) {
    case PointKind::kLock:
      return "lock";
    case PointKind::kLockShared:
      return "lock shared";
    case PointKind::kTryLock:
      return "try lock";
    case PointKind::kUnlock:
      return "unlock";
    case PointKind::kSleep:
      return "sleep";
    case PointKind::kWakeup:
      return "wakeup";
    case PointKind::kLoad:
      return "load";
    case PointKind::kStore:
      return "store";
    case PointKind::kReadModifyWrite:
      return "read-modify-write";
    case PointKind::kSpawn:
      return "spawn";
    case PointKind::kJoin:
      return "join";
    case PointKind::kYield:
      return "yield";
    case PointKind::kStart:
      return "start";
    case PointKind::kInterruptsOff:
      return "interrupts off";
    case PointKind::kInterrupt:
      return "interrupt";
  }
  return "unknown";
}

}  // namespace locking
