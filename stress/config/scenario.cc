#include "stress/config/scenario.h"

#include <utility>

#include "locking/toml.h"
#include "locking/toml_bounds.h"
#include "stress/config/embedded.h"
#include "stress/config/error.h"
#include "stress/config/text.h"
#include "stress/host/files.h"

namespace stress {
namespace {

const Setting* FindByKey(std::span<const Setting> settings, std::string_view key) {
  for (const Setting& setting : settings)
    if (key == setting.key) return &setting;
  return nullptr;
}

const Setting* AnySetting(std::string_view key) { return FindByKey(AllSettings(), key); }

const char* TypeName(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a decimal number";
    case toml::node_type::boolean:
      return "a truth value";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::table:
      return "a table";
    default:
      return "a date or time";
  }
}

class Parser {
 public:
  Parser(const std::string& file, const std::vector<WorkerKindInfo>& kinds)
      : file_(OneLine(file)), kinds_(kinds) {}

  Scenario Parse(std::string_view text);

 private:
  std::string Where(const toml::node& node) const { return Where(node.source()); }
  std::string Where(const toml::source_region& region) const {
    return file_ + ":" + std::to_string(region.begin.line);
  }
  [[noreturn]] void UnknownKey(const toml::key& key, const std::string& table,
                               const std::vector<std::string>& accepted) const {
    FailUsage(Where(key.source()) + ": unknown key " + OneLine(key.str()) + " in " + table +
              "; accepted: " + Join(accepted, ", ") + DidYouMean(key.str(), accepted));
  }

  void ParseSection(const toml::node& node, Section section);
  void ParseWorkers(const toml::node& node);
  void ParseWorker(const toml::table& table);
  const WorkerKindInfo& KindOf(const toml::table& table) const;
  Value ParseNode(const Setting& setting, const toml::node& node) const;

  const std::string file_;  // as messages call it
  const std::vector<WorkerKindInfo>& kinds_;
  Scenario scenario_;
};

Value Parser::ParseNode(const Setting& setting, const toml::node& node) const {
  const std::string where = Where(node) + ": " + setting.key;
  const bool counts = setting.type == ValueType::kInteger || setting.type == ValueType::kSize;
  if (const auto* integer = node.as_integer(); integer != nullptr && counts) {
    const std::string text = std::to_string(integer->get());
    if (integer->get() < 0)
      FailUsage(where + ": " + text + " is out of range; accepted: " + Accepted(setting));
    return ParseValue(setting, text, where);
  }
  if (const auto* string = node.as_string(); string != nullptr &&
                                             setting.type != ValueType::kInteger &&
                                             setting.type != ValueType::kBoolean)
    return ParseValue(setting, string->get(), where);
  if (const auto* truth = node.as_boolean();
      truth != nullptr && setting.type == ValueType::kBoolean)
    return {truth->get() ? 1u : 0u, truth->get() ? "true" : "false"};
  const char* wanted = counts ? "" : setting.type == ValueType::kBoolean ? "" : "a string: ";
  FailUsage(where + ": " + TypeName(node) + " where " + wanted + Accepted(setting) +
            " is accepted");
}

void Parser::ParseSection(const toml::node& node, Section section) {
  const std::string name = SectionName(section);
  const toml::table* table = node.as_table();
  if (table == nullptr)
    FailUsage(Where(node) + ": " + name.substr(1, name.size() - 2) + " is " + TypeName(node) +
              "; it has to be the table " + name);
  std::vector<std::string> accepted;
  for (const Setting& setting : AllSettings())
    if (setting.section == section) accepted.push_back(setting.key);
  for (const auto& [key, value] : *table) {
    const Setting* setting = FindInSection(key.str(), section);
    if (setting == nullptr) {
      const Setting* elsewhere = AnySetting(key.str());
      if (elsewhere != nullptr)
        FailUsage(Where(key.source()) + ": the key " + elsewhere->key + " does not belong in " +
                  name + "; it belongs to " + SectionName(elsewhere->section));
      UnknownKey(key, name, accepted);
    }
    scenario_.settings.Set(setting->key, ParseNode(*setting, value),
                           Where(value) + ": " + setting->key);
  }
}

const WorkerKindInfo& Parser::KindOf(const toml::table& table) const {
  std::vector<std::string> names;
  for (const WorkerKindInfo& kind : kinds_) names.push_back(kind.name);
  const toml::node* node = table.get("kind");
  if (node == nullptr)
    FailUsage(Where(table) + ": a [[worker]] without its kind; accepted: " + Join(names, ", "));
  const auto* name = node->as_string();
  if (name == nullptr)
    FailUsage(Where(*node) + ": kind is " + TypeName(*node) + "; accepted: one of the strings " +
              Join(names, ", "));
  for (const WorkerKindInfo& kind : kinds_)
    if (name->get() == kind.name) return kind;
  FailUsage(Where(*node) + ": unknown worker kind \"" + OneLine(name->get()) +
            "\"; accepted: " + Join(names, ", ") + DidYouMean(name->get(), names));
}

void Parser::ParseWorker(const toml::table& table) {
  const WorkerKindInfo& kind = KindOf(table);
  WorkerSpec spec;
  spec.kind = kind.name;
  spec.where = Where(table);
  std::vector<std::string> accepted = {"kind"};
  for (const Setting& setting : WorkerSettings()) accepted.push_back(setting.key);
  for (const Setting& parameter : kind.parameters) accepted.push_back(parameter.key);
  for (const auto& [key, value] : table) {
    if (key.str() == "kind") continue;
    if (const Setting* of_any = FindByKey(WorkerSettings(), key.str()); of_any != nullptr) {
      const auto number = static_cast<std::uint32_t>(ParseNode(*of_any, value).number);
      (key.str() == "count" ? spec.count : spec.weight) = number;
      continue;
    }
    const Setting* parameter = FindByKey(kind.parameters, key.str());
    if (parameter == nullptr) UnknownKey(key, std::string("the worker ") + kind.name, accepted);
    spec.parameters[parameter->key] = ParseNode(*parameter, value);
  }
  if (table.contains("weight") && table.contains("count"))
    FailUsage(spec.where + ": a [[worker]] has weight or count, not both");
  scenario_.workers.push_back(std::move(spec));
}

void Parser::ParseWorkers(const toml::node& node) {
  const toml::array* array = node.as_array();
  if (array == nullptr)
    FailUsage(Where(node) + ": worker is " + TypeName(node) +
              "; each worker is a table of its own, under [[worker]]");
  for (const toml::node& worker : *array) {
    const toml::table* table = worker.as_table();
    if (table == nullptr)
      FailUsage(Where(worker) + ": a worker is " + TypeName(worker) +
                "; each worker is a table of its own, under [[worker]]");
    ParseWorker(*table);
  }
}

Scenario Parser::Parse(std::string_view text) {
  if (const int line = locking::FindLongTomlLine(text); line != 0)
    FailUsage(file_ + ":" + std::to_string(line) +
              ": the line is too long; accepted: " + locking::kTomlLinesAccepted);
  toml::table root;
  try {
    root = toml::parse(text, file_);
  } catch (const toml::parse_error& error) {
    FailUsage(Where(error.source()) + ": not valid TOML: " + OneLine(error.description()));
  }
  const std::vector<std::string> accepted = {"machine", "run", "worker", "faults"};
  for (const auto& [key, value] : root) {
    if (key.str() == "machine") {
      ParseSection(value, Section::kMachine);
    } else if (key.str() == "run") {
      ParseSection(value, Section::kRun);
    } else if (key.str() == "faults") {
      ParseSection(value, Section::kFaults);
    } else if (key.str() == "worker") {
      ParseWorkers(value);
    } else {
      const Setting* setting = AnySetting(key.str());
      if (setting != nullptr && setting->section != Section::kFlag)
        FailUsage(Where(key.source()) + ": the key " + setting->key +
                  " stands outside of any table; it belongs to " + SectionName(setting->section));
      UnknownKey(key, "a scenario file", accepted);
    }
  }
  if (scenario_.workers.empty())
    FailUsage(file_ + ": no [[worker]]: a scenario needs at least one");
  if (scenario_.settings.Given("duration") && scenario_.settings.Given("operations"))
    FailUsage(scenario_.settings.Origin("operations") +
              ": [run] has duration or operations, not both");
  scenario_.description = DescriptionOf(text);
  return std::move(scenario_);
}

}  // namespace

void Settings::Set(std::string_view key, Value value, std::string origin) {
  entries_[std::string(key)] = {std::move(value), std::move(origin)};
}

std::uint64_t Settings::Number(std::string_view key) const {
  if (const auto entry = entries_.find(key); entry != entries_.end())
    return entry->second.value.number;
  const Setting* setting = AnySetting(key);
  if (setting == nullptr || *setting->fallback == '\0') return 0;
  return ParseValue(*setting, setting->fallback, setting->key).number;
}

std::string Settings::Text(std::string_view key) const {
  if (const auto entry = entries_.find(key); entry != entries_.end())
    return entry->second.value.text;
  const Setting* setting = AnySetting(key);
  return setting == nullptr ? "" : setting->fallback;
}

std::string Settings::Origin(std::string_view key) const {
  if (const auto entry = entries_.find(key); entry != entries_.end()) return entry->second.origin;
  return "the default of " + std::string(key);
}

void Settings::Override(const Settings& other) {
  for (const auto& [key, entry] : other.entries_) entries_[key] = entry;
}

std::string DescriptionOf(std::string_view text) {
  if (!text.starts_with("# ")) return "";
  return std::string(text.substr(2, text.find('\n') - 2));
}

Scenario ParseScenario(std::string_view text, const std::string& name,
                       const std::vector<WorkerKindInfo>& kinds) {
  Scenario scenario = Parser(name, kinds).Parse(text);
  scenario.name = name;
  return scenario;
}

Scenario LoadScenario(const std::string& name, const std::vector<WorkerKindInfo>& kinds) {
  std::vector<std::string> names;
  for (const EmbeddedFile& embedded : EmbeddedScenarios()) {
    names.emplace_back(embedded.name);
    if (name != embedded.name) continue;
    Scenario scenario = ParseScenario(embedded.text, name + ".toml", kinds);
    scenario.name = name;
    return scenario;
  }
  if (name.find('/') == std::string::npos && !name.ends_with(".toml"))
    FailUsage("--scenario: there is no scenario \"" + OneLine(name) + "\"; accepted: a file, or " +
              Join(names, ", ") + DidYouMean(name, names));
  return ParseScenario(ReadInputFile(name, kTextBytesMax), name, kinds);
}

}  // namespace stress
