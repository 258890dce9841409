#include "locking/explore/failure.h"

#include <charconv>
#include <cstdio>
#include <fstream>
#include <sstream>

namespace locking::explore {
namespace {

constexpr std::string_view kHeader = "vmstress-replay 1";
constexpr std::size_t kLineLength = 96;

// A value stands on one line.
std::string OneLine(std::string text) {
  for (char& c : text)
    if (c == '\n' || c == '\r') c = ' ';
  return text;
}

std::string FormatChoices(const std::vector<std::uint32_t>& choices) {
  std::string text, line;
  for (std::size_t i = 0; i < choices.size();) {
    std::size_t run = 1;
    while (i + run < choices.size() && choices[i + run] == choices[i]) ++run;
    std::string item = std::to_string(choices[i]);
    if (run > 1) item += "x" + std::to_string(run);
    if (!line.empty() && line.size() + 1 + item.size() > kLineLength) {
      text += line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + item;
    i += run;
  }
  return line.empty() ? text : text + line + "\n";
}

template <typename T>
bool ParseNumber(std::string_view text, T* value, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value, base);
  return error == std::errc() && end == text.data() + text.size();
}

// "3x2": thread 3 twice.
bool ParseChoice(std::string_view item, std::size_t most, std::vector<std::uint32_t>* choices) {
  const std::size_t x = item.find('x');
  std::uint32_t id = 0;
  std::uint32_t run = 1;
  if (!ParseNumber(item.substr(0, x), &id) || id == 0) return false;
  if (x != std::string_view::npos && !ParseNumber(item.substr(x + 1), &run)) return false;
  if (run == 0 || run > most - choices->size()) return false;
  choices->insert(choices->end(), run, id);
  return true;
}

class Parser {
 public:
  Parser(std::string_view text, Failure* failure) : lines_(std::string(text)), failure_(failure) {}

  std::string Parse() {
    if (!Next()) return "the file is empty";
    if (line_ != kHeader)
      return Wrong("expected '" + std::string(kHeader) + "': not a replay file of this version");
    while (Next()) {
      std::string error = ParseLine();
      if (!error.empty()) return error;
      if (ended_) return choices_read_ ? "" : Wrong("there are no choices");
    }
    return Wrong("the file is cut off: 'end' is missing");
  }

 private:
  bool Next() {
    ++number_;
    if (!std::getline(lines_, line_)) return false;
    if (!line_.empty() && line_.back() == '\r') line_.pop_back();
    return true;
  }
  std::string Wrong(const std::string& what) const {
    return "line " + std::to_string(number_) + ": " + what;
  }

  std::string ParseLine() {
    const std::size_t space = line_.find(' ');
    const std::string key = line_.substr(0, space);
    const std::string value = space == std::string::npos ? "" : line_.substr(space + 1);
    if (key.empty()) return "";
    if (key == "end") {
      ended_ = true;
      return "";
    }
    if (key == "choices") return ParseChoices(value);
    return ParseField(key, value);
  }

  std::string ParseField(const std::string& key, const std::string& value) {
    bool good = true;
    if (key == "test")
      failure_->test = value;
    else if (key == "strategy")
      failure_->strategy = value;
    else if (key == "id")
      failure_->finding.id = value;
    else if (key == "signature")
      failure_->finding.signature = value;
    else if (key == "title")
      failure_->finding.title = value;
    else if (key == "seed")
      good = ParseNumber(value, &failure_->seed);
    else if (key == "execution")
      good = ParseNumber(value, &failure_->execution);
    else if (key == "max_steps")
      good = ParseNumber(value, &failure_->max_steps);
    else if (key == "trace_hash")
      good = ParseNumber(value, &failure_->trace_hash, 16);
    else if (key == "with")
      good = ParseParameter(value);
    else
      return Wrong("unknown key '" + key + "'");
    return good ? "" : Wrong("'" + value + "' is no value of " + key);
  }

  bool ParseParameter(const std::string& value) {
    const std::size_t equals = value.find('=');
    if (equals == std::string::npos) return false;
    failure_->with[value.substr(0, equals)] = value.substr(equals + 1);
    return true;
  }

  std::string ParseChoices(const std::string& value) {
    constexpr std::size_t kMost = 1u << 26;
    std::size_t count = 0;
    if (!ParseNumber(value, &count) || count > kMost)
      return Wrong("'" + value + "' is no number of choices");
    failure_->choices.clear();
    while (failure_->choices.size() < count) {
      if (!Next()) return Wrong("the file is cut off among the choices");
      std::istringstream items(line_);
      for (std::string item; items >> item;)
        if (!ParseChoice(item, count, &failure_->choices))
          return Wrong("no choice: '" + item + "'");
    }
    choices_read_ = true;
    return "";
  }

  std::istringstream lines_;
  Failure* failure_;
  std::string line_;
  int number_ = 0;
  bool ended_ = false;
  bool choices_read_ = false;
};

}  // namespace

std::string FormatFailure(const Failure& failure) {
  std::string text = std::string(kHeader) + "\n";
  const auto line = [&](const char* key, const std::string& value) {
    text += std::string(key) + " " + OneLine(value) + "\n";
  };
  line("test", failure.test);
  line("strategy", failure.strategy);
  line("seed", std::to_string(failure.seed));
  line("execution", std::to_string(failure.execution));
  line("max_steps", std::to_string(failure.max_steps));
  line("id", failure.finding.id);
  line("signature", failure.finding.signature);
  line("title", failure.finding.title);
  for (const auto& [name, value] : failure.with) line("with", name + "=" + value);
  char hash[17];
  std::snprintf(hash, sizeof(hash), "%016llx", static_cast<unsigned long long>(failure.trace_hash));
  line("trace_hash", hash);
  line("choices", std::to_string(failure.choices.size()));
  return text + FormatChoices(failure.choices) + "end\n";
}

bool ParseFailure(std::string_view text, Failure* failure, std::string* error) {
  Failure parsed;
  *error = Parser(text, &parsed).Parse();
  if (!error->empty()) return false;
  *failure = std::move(parsed);
  return true;
}

bool SaveFailure(const Failure& failure, const std::string& path, std::string* error) {
  // Whole or not at all: half of a record would replay as another failure.
  const std::string partial = path + ".tmp";
  std::ofstream file(partial, std::ios::binary | std::ios::trunc);
  file << FormatFailure(failure);
  file.close();
  if (file && std::rename(partial.c_str(), path.c_str()) == 0) return true;
  std::remove(partial.c_str());
  *error = path + ": cannot be written";
  return false;
}

bool LoadFailure(const std::string& path, Failure* failure, std::string* error) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file) {
    *error = path + ": cannot be read";
    return false;
  }
  if (ParseFailure(text.str(), failure, error)) return true;
  *error = path + ", " + *error;
  return false;
}

}  // namespace locking::explore
