#include "stress/config/setting.h"

#include <algorithm>
#include <bit>
#include <charconv>

#include "stress/config/error.h"
#include "stress/config/text.h"

namespace stress {
namespace {

struct Unit {
  const char* name;
  std::uint64_t factor;
};
constexpr Unit kSizeUnits[] = {{"B", 1},
                               {"KiB", 1ull << 10},
                               {"MiB", 1ull << 20},
                               {"GiB", 1ull << 30},
                               {"TiB", 1ull << 40},
                               {"K", 1ull << 10},
                               {"M", 1ull << 20},
                               {"G", 1ull << 30}};
constexpr Unit kDurationUnits[] = {{"ns", 1},
                                   {"us", 1'000},
                                   {"ms", 1'000'000},
                                   {"s", 1'000'000'000},
                                   {"m", 60'000'000'000},
                                   {"h", 3'600'000'000'000}};

std::span<const Unit> UnitsOf(ValueType type) {
  if (type == ValueType::kSize) return kSizeUnits;
  if (type == ValueType::kDuration) return kDurationUnits;
  return {};
}

struct Number {
  std::uint64_t value = 0;
  bool overflow = false;
};

// nullopt when `text` is no number with one of the units.
std::optional<Number> ParseNumber(ValueType type, std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end == text.data() || error == std::errc::invalid_argument) return std::nullopt;
  const bool overflow = error == std::errc::result_out_of_range;
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  if (unit.empty()) {
    if (type == ValueType::kDuration && number != 0) return std::nullopt;
    return Number{number, overflow};
  }
  for (const Unit& known : UnitsOf(type)) {
    if (unit != known.name) continue;
    return Number{number * known.factor, overflow || number > ~0ull / known.factor};
  }
  return std::nullopt;
}

std::vector<std::string> AvailableChoices(const Setting& setting) {
  std::vector<std::string> names;
  for (const Choice& choice : setting.choices)
    if (choice.availability == Availability::kAvailable) names.push_back(choice.name);
  return names;
}

// A choice may take the rest of the text after a colon: "file:PATH".
Value ParseChoice(const Setting& setting, std::string_view text, const std::string& where) {
  for (const Choice& choice : setting.choices) {
    std::string_view name = choice.name;
    const std::size_t colon = name.find(':');
    const bool takes_rest = colon != std::string_view::npos;
    if (takes_rest) name = name.substr(0, colon + 1);
    if (takes_rest ? !text.starts_with(name) : text != name) continue;
    if (choice.availability == Availability::kNotYet)
      FailNotAvailable(where + ": " + OneLine(text));
    if (takes_rest && text.size() == name.size())
      FailUsage(where + ": " + OneLine(text) + " lacks its " + (choice.name + colon + 1));
    return {0, std::string(text)};
  }
  FailUsage(where + ": \"" + OneLine(text) + "\" is none of its values; accepted: " +
            Accepted(setting) + DidYouMean(text, AvailableChoices(setting)));
}

}  // namespace

const char* SectionName(Section section) {
  switch (section) {
    case Section::kMachine:
      return "[machine]";
    case Section::kRun:
      return "[run]";
    case Section::kFaults:
      return "[faults]";
    case Section::kWorker:
      return "[[worker]]";
    case Section::kFlag:
      break;
  }
  return "the command line";
}

const Setting* FindSetting(std::string_view key, std::uint32_t command) {
  for (const Setting& setting : AllSettings())
    if (key == setting.key && (setting.commands & command) != 0) return &setting;
  return nullptr;
}

const Setting* FindInSection(std::string_view key, Section section) {
  for (const Setting& setting : AllSettings())
    if (key == setting.key && setting.section == section) return &setting;
  return nullptr;
}

std::string FlagOf(std::string_view key) {
  std::string flag = "--" + std::string(key);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::string FormatValue(ValueType type, std::uint64_t number) {
  const Unit* best = nullptr;
  for (const Unit& unit : UnitsOf(type)) {
    const bool exact = number != 0 && number % unit.factor == 0;
    if (exact && (best == nullptr || unit.factor > best->factor)) best = &unit;
  }
  if (best == nullptr) return std::to_string(number);
  if (type == ValueType::kSize && best->factor == 1) return std::to_string(number);
  return std::to_string(number / best->factor) + best->name;
}

std::string Accepted(const Setting& setting) {
  if (setting.list) {
    Setting one = setting;
    one.list = false;
    const bool numbers = setting.type == ValueType::kInteger;
    return Accepted(one) + (numbers ? "; several as in 1,2,4" : "; several separated by commas");
  }
  switch (setting.type) {
    case ValueType::kChoice:
      return Join(AvailableChoices(setting), ", ");
    case ValueType::kBoolean:
      return "true or false";
    case ValueType::kText:
      return "a text";
    case ValueType::kInteger:
    case ValueType::kSize:
    case ValueType::kDuration:
      break;
  }
  std::string out = setting.type == ValueType::kDuration ? "a duration with its unit"
                    : setting.power_of_two               ? "a power of two"
                    : setting.type == ValueType::kSize   ? "a size"
                                                         : "an integer";
  if (setting.or_zero) out = "0, or " + out;
  out += " from " + FormatValue(setting.type, setting.min);
  if (setting.max != ~0ull) out += " to " + FormatValue(setting.type, setting.max);
  if (setting.max == ~0ull) out += " up";
  if (setting.type == ValueType::kDuration) out += ", as in 20s, 5m, 500ms";
  return out;
}

void CheckRange(const Setting& setting, std::uint64_t number, std::string_view text,
                const std::string& where) {
  const std::string shown = OneLine(text);
  if (setting.or_zero && number == 0) return;
  if (number < setting.min || number > setting.max)
    FailUsage(where + ": " + shown + " is out of range; accepted: " + Accepted(setting));
  if (setting.power_of_two && !std::has_single_bit(number))
    FailUsage(where + ": " + shown + " is not a power of two; accepted: " + Accepted(setting));
}

std::vector<Value> ParseList(const Setting& setting, std::string_view text,
                             const std::string& where) {
  Setting one = setting;
  one.list = false;
  std::vector<Value> values;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    Value value = ParseValue(one, text.substr(begin, end - begin), where);
    for (const Value& known : values)
      if (known.number == value.number && (known.number != 0 || known.text == value.text))
        FailUsage(where + ": " + OneLine(value.text) + " is named more than once");
    values.push_back(std::move(value));
    begin = end + 1;
  }
  return values;
}

Value ParseValue(const Setting& setting, std::string_view text, const std::string& where) {
  if (setting.list) {
    ParseList(setting, text, where);
    return {0, std::string(text)};
  }
  if (setting.type == ValueType::kChoice) return ParseChoice(setting, text, where);
  if (setting.type == ValueType::kText) {
    if (text.empty()) FailUsage(where + ": the value is empty; accepted: " + Accepted(setting));
    return {0, std::string(text)};
  }
  if (setting.type == ValueType::kBoolean) {
    if (text != "true" && text != "false")
      FailUsage(where + ": \"" + OneLine(text) + "\" is not a truth value; accepted: true, false");
    return {text == "true" ? 1u : 0u, std::string(text)};
  }
  const std::optional<Number> number = ParseNumber(setting.type, text);
  if (!number.has_value() || number->overflow) {
    const bool outside =
        number.has_value() || (text.starts_with('-') && ParseNumber(setting.type, text.substr(1)));
    FailUsage(where + ": \"" + OneLine(text) + "\" is " + (outside ? "out of range" : "not valid") +
              "; accepted: " + Accepted(setting));
  }
  CheckRange(setting, number->value, text, where);
  return {number->value, std::string(text)};
}

}  // namespace stress
