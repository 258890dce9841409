// The tables: "Exception Handling Tables", Itanium C++ ABI, and their layout in gcc's
// unwind-pe.h. GCC says noexcept by leaving a call out of a function's table; Clang gives it a
// landing pad that catches everything and calls __clang_call_terminate.
#include "locking/sched/unwind_safety.h"

#include <unwind.h>

#include <cstdint>
#include <cstring>
#include <typeinfo>

#include "locking/executor.h"

#if defined(__clang__)
extern "C" void __clang_call_terminate(void*);
#endif

namespace locking {
namespace {

using Bytes = const unsigned char*;

std::uint64_t ReadUleb(Bytes* at) {
  std::uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const unsigned char byte = *(*at)++;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
}

std::int64_t ReadSleb(Bytes* at) {
  std::int64_t value = 0;
  unsigned shift = 0;
  unsigned char byte = 0;
  do {
    byte = *(*at)++;
    value |= static_cast<std::int64_t>(byte & 0x7f) << shift;
    shift += 7;
  } while ((byte & 0x80) != 0);
  if (shift < 64 && (byte & 0x40) != 0) value |= -(std::int64_t{1} << shift);
  return value;
}

template <typename T>
std::uintptr_t ReadFixed(Bytes* at) {
  T value;
  std::memcpy(&value, *at, sizeof(value));
  *at += sizeof(value);
  return static_cast<std::uintptr_t>(value);
}

constexpr unsigned char kOmitted = 0xff;
constexpr unsigned char kRelative = 0x10;  // to where the value stands
constexpr unsigned char kIndirect = 0x80;  // the value is the address of the value

std::uintptr_t ReadEncoded(unsigned char encoding, Bytes* at) {
  const Bytes start = *at;
  std::uintptr_t value = 0;
  switch (encoding & 0x0f) {
    case 0x01:
      value = ReadUleb(at);
      break;
    case 0x02:
      value = ReadFixed<std::uint16_t>(at);
      break;
    case 0x03:
      value = ReadFixed<std::uint32_t>(at);
      break;
    case 0x09:
      value = static_cast<std::uintptr_t>(ReadSleb(at));
      break;
    case 0x0a:
      value = ReadFixed<std::int16_t>(at);
      break;
    case 0x0b:
      value = ReadFixed<std::int32_t>(at);
      break;
    default:
      value = ReadFixed<std::uintptr_t>(at);
      break;
  }
  if (value == 0) return 0;
  if ((encoding & 0x70) == kRelative) value += reinterpret_cast<std::uintptr_t>(start);
  if ((encoding & kIndirect) != 0)
    std::memcpy(&value, reinterpret_cast<const void*>(value), sizeof(value));
  return value;
}

std::size_t SizeOf(unsigned char encoding) {
  switch (encoding & 0x07) {
    case 0x02:
      return 2;
    case 0x03:
      return 4;
    default:
      return 8;
  }
}

// A handler of everything that is none: it only ends the process.
bool OnlyTerminates(std::uintptr_t landing_pad) {
#if defined(__clang__)
  constexpr int kLongest = 64;
  const auto terminate = reinterpret_cast<std::uintptr_t>(&__clang_call_terminate);
  const auto* code = reinterpret_cast<Bytes>(landing_pad);
  for (int i = 0; i < kLongest; ++i) {
    if (code[i] != 0xe8) continue;  // call, relative to the next instruction
    std::int32_t offset;
    std::memcpy(&offset, code + i + 1, sizeof(offset));
    if (landing_pad + static_cast<std::uintptr_t>(i) + 5 + static_cast<std::uintptr_t>(offset) ==
        terminate)
      return true;
  }
#else
  (void)landing_pad;
#endif
  return false;
}

enum class Outcome { kPasses, kCaught, kTerminates };

// What happens to the exception in the frame of a function, at one call of it.
class FrameTable {
 public:
  FrameTable(Bytes table, std::uintptr_t function) : at_(table), function_(function) {
    const unsigned char start_encoding = *at_++;
    pads_ = start_encoding == kOmitted ? function : ReadEncoded(start_encoding, &at_);
    type_encoding_ = *at_++;
    if (type_encoding_ != kOmitted) {
      const std::uint64_t offset = ReadUleb(&at_);
      types_ = at_ + offset;
    }
    call_encoding_ = *at_++;
    const std::uint64_t length = ReadUleb(&at_);
    actions_ = at_ + length;
  }

  Outcome At(std::uintptr_t call) {
    while (at_ < actions_) {
      const std::uintptr_t start = ReadEncoded(call_encoding_, &at_);
      const std::uintptr_t length = ReadEncoded(call_encoding_, &at_);
      const std::uintptr_t pad = ReadEncoded(call_encoding_, &at_);
      const std::uint64_t action = ReadUleb(&at_);
      if (call < function_ + start) break;
      if (call >= function_ + start + length) continue;
      if (pad == 0 || action == 0) return Outcome::kPasses;
      return InHandlers(pads_ + pad, actions_ + action - 1);
    }
    return Outcome::kTerminates;
  }

 private:
  Outcome InHandlers(std::uintptr_t pad, Bytes action) const {
    for (;;) {
      const std::int64_t filter = ReadSleb(&action);
      Bytes next = action;
      const std::int64_t displacement = ReadSleb(&next);
      if (filter < 0) return Outcome::kTerminates;  // an exception specification
      if (filter > 0) {
        const std::type_info* type = TypeOf(static_cast<std::uint64_t>(filter));
        if (type == nullptr) return OnlyTerminates(pad) ? Outcome::kTerminates : Outcome::kCaught;
        if (*type == typeid(ExecutionAbandoned)) return Outcome::kCaught;
      }
      if (displacement == 0) return Outcome::kPasses;
      action += displacement;
    }
  }
  const std::type_info* TypeOf(std::uint64_t filter) const {
    if (types_ == nullptr) return nullptr;
    Bytes entry = types_ - filter * SizeOf(type_encoding_);
    return reinterpret_cast<const std::type_info*>(ReadEncoded(type_encoding_, &entry));
  }

  Bytes at_;
  std::uintptr_t function_;
  std::uintptr_t pads_ = 0;
  unsigned char type_encoding_ = kOmitted;
  Bytes types_ = nullptr;
  unsigned char call_encoding_ = 0;
  Bytes actions_ = nullptr;
};

_Unwind_Reason_Code LookAtFrame(_Unwind_Context* context, void* result) {
  auto* outcome = static_cast<Outcome*>(result);
  const void* table = _Unwind_GetLanguageSpecificData(context);
  if (table == nullptr) return _URC_NO_REASON;
  int at_instruction = 0;
  const std::uintptr_t address = _Unwind_GetIPInfo(context, &at_instruction);
  *outcome = FrameTable(static_cast<Bytes>(table), _Unwind_GetRegionStart(context))
                 .At(at_instruction != 0 ? address : address - 1);
  return *outcome == Outcome::kPasses ? _URC_NO_REASON : _URC_END_OF_STACK;
}

}  // namespace

bool UnwindingIsSafeHere() {
  Outcome outcome = Outcome::kPasses;
  _Unwind_Backtrace(&LookAtFrame, &outcome);
  return outcome == Outcome::kCaught;
}

}  // namespace locking
