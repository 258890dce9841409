// Setting: one key of a scenario file and, by the same name, one flag: its type, range, default and
// help. The tables made of it are the only list of keys: flags, scenario files, `list` and help are
// all read from them.
//
// Thread safety: immutable tables.
#ifndef STRESS_CONFIG_SETTING_H_
#define STRESS_CONFIG_SETTING_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stress {

enum class ValueType : std::uint8_t {
  kInteger,
  kSize,      // bytes: 4096, 4KiB, 64MiB
  kDuration,  // nanoseconds: 20s, 5m, 500ms
  kChoice,    // one of a list of names
  kBoolean,   // a flag without a value
  kText,
};

enum class Section : std::uint8_t {
  kMachine,  // [machine]
  kRun,      // [run]
  kFaults,   // [faults]
  kWorker,   // a parameter of a worker kind
  kFlag,     // on the command line only
};

enum class Availability : std::uint8_t { kAvailable, kNotYet };

struct Choice {
  const char* name;
  Availability availability = Availability::kAvailable;
};

// Commands that take a setting as a flag.
enum CommandSet : std::uint32_t {
  kNoCommand = 0,
  kRunCommand = 1,
  kExploreCommand = 2,
  kReplayCommand = 4,
  kHuntCommand = 8,
  kScaleCommand = 16,
  kLockOrderCommand = 32,
  kInspectCommand = 64,
  kListCommand = 128,
  kCompareCommand = 256,
  kReportCommand = 512,
  kMergeCommand = 1024,
};

struct Setting {
  const char* key;  // "page_size"; the flag is --page-size
  Section section;
  ValueType type;
  std::uint32_t commands = kNoCommand;
  // Commands for which the flag is named in the documents and not built yet.
  std::uint32_t not_yet = kNoCommand;
  // What is accepted; bytes and nanoseconds for sizes and durations.
  std::uint64_t min = 0;
  std::uint64_t max = ~0ull;
  bool power_of_two = false;
  bool or_zero = false;  // 0 is accepted too: none
  std::vector<Choice> choices = {};
  bool list = false;  // several values, separated by commas
  // The default as one would type it; empty: `default_note` says what is done instead.
  const char* fallback = "";
  const char* default_note = "";
  const char* help = "";
};

struct Value {
  std::uint64_t number = 0;  // integers, sizes in bytes, durations in nanoseconds, 0 or 1
  std::string text;          // choices, texts; for lists and the others what was typed
};

// All keys, those of workers excepted.
std::span<const Setting> AllSettings();
// The keys of a [[worker]] of any kind, `kind` itself excepted.
std::span<const Setting> WorkerSettings();
// The setting that `command` takes under `key`; several commands may give one key their own
// meaning.
const Setting* FindSetting(std::string_view key, std::uint32_t command);
const Setting* FindInSection(std::string_view key, Section section);
// "[machine]"
const char* SectionName(Section section);

// "--page-size"
std::string FlagOf(std::string_view key);
// "a power of two from 512 to 32KiB"
std::string Accepted(const Setting& setting);
// What a value in this unit looks like to a reader: "4KiB", "20s", "17".
std::string FormatValue(ValueType type, std::uint64_t number);
// Throws CommandError (2) that starts with `where` ("--threads", "mixed.toml:7: threads").
Value ParseValue(const Setting& setting, std::string_view text, const std::string& where);
// The values of a list, each of them once.
std::vector<Value> ParseList(const Setting& setting, std::string_view text,
                             const std::string& where);
// The same for a number that needs no parsing.
void CheckRange(const Setting& setting, std::uint64_t number, std::string_view text,
                const std::string& where);

}  // namespace stress

#endif  // STRESS_CONFIG_SETTING_H_
