// A store whose input and output take time: others may run before the bytes move, and after.
#ifndef TESTS_VM_SLOW_STORE_H_
#define TESTS_VM_SLOW_STORE_H_

#include <cstdint>
#include <memory>

#include "vm/store/store.h"

namespace vm {

// Over `store`. How long a request takes differs from one to the next; of so many writes one fails
// (0: none).
std::unique_ptr<Store> MakeSlowStore(std::unique_ptr<Store> store,
                                     std::uint32_t failing_writes = 0);

}  // namespace vm

#endif  // TESTS_VM_SLOW_STORE_H_
