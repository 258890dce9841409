#include "stress/command/command_line.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <list>
#include <memory>
#include <new>
#include <optional>

#include "stress/command/build_info.h"
#include "stress/config/error.h"
#include "stress/config/text.h"
#include "stress/host/streams.h"

namespace stress {
namespace {

constexpr char kExitCodes[] =
    "Exit codes: 0 clean, 1 failure found, 2 usage or bad input, 3 could not run, 130 interrupted.";

// A flag as CLI11 filled it in.
struct BoundFlag {
  const Setting* setting;
  bool available;
  CLI::Option* option;
  std::string text;
};

struct BoundCommand {
  const Command* command;
  CLI::App* app;
  std::list<BoundFlag> flags;  // CLI11 keeps pointers to the texts
  std::vector<std::string> arguments;
};

const char* GroupOf(const Setting& setting) {
  switch (setting.section) {
    case Section::kMachine:
      return "Machine (keys of [machine])";
    case Section::kRun:
      return "Run (keys of [run])";
    default:
      return "Options";
  }
}

std::string HelpOf(const Setting& setting) {
  std::string help = setting.help;
  const bool counted = setting.type != ValueType::kText && setting.type != ValueType::kBoolean;
  if (counted) help += ": " + Accepted(setting);
  if (setting.type == ValueType::kBoolean) return help;
  const bool fixed = *setting.fallback != '\0';
  return help + " [" + (fixed ? setting.fallback : setting.default_note) + "]";
}

const char* PlaceholderOf(const Setting& setting) {
  if (setting.list) return "LIST";
  switch (setting.type) {
    case ValueType::kInteger:
      return "N";
    case ValueType::kSize:
      return "SIZE";
    case ValueType::kDuration:
      return "TIME";
    default:
      return "NAME";
  }
}

void BindFlags(BoundCommand* bound) {
  const std::uint32_t bit = bound->command->bit;
  for (const Setting& setting : AllSettings()) {
    const bool available = (setting.commands & bit) != 0;
    if (!available && (setting.not_yet & bit) == 0) continue;
    BoundFlag& flag = bound->flags.emplace_back(BoundFlag{&setting, available, nullptr, ""});
    const std::string name = FlagOf(setting.key);
    if (setting.type == ValueType::kBoolean)
      flag.option = bound->app->add_flag(name)->description(HelpOf(setting));
    else
      flag.option = bound->app->add_option(name, flag.text, HelpOf(setting))
                        ->type_name(PlaceholderOf(setting));
    flag.option->group(available ? GroupOf(setting) : "");
  }
}

std::string FooterOf(const Command& command) {
  std::string footer = "\nExamples:\n";
  for (const char* example : command.examples) footer += std::string("  ") + example + "\n";
  return footer + "\n" + kExitCodes;
}

void Bind(CLI::App* app, std::list<BoundCommand>* commands) {
  for (const Command& command : AllCommands()) {
    if (command.run == nullptr) continue;
    BoundCommand& bound = commands->emplace_back(BoundCommand{&command, nullptr, {}, {}});
    bound.app = app->add_subcommand(command.name, command.summary);
    bound.app->allow_extras();
    bound.app->footer(FooterOf(command));
    BindFlags(&bound);
    if (command.argument != nullptr) bound.app->add_option(command.argument, bound.arguments);
  }
}

std::vector<std::string> FlagNames(const BoundCommand& bound) {
  std::vector<std::string> names = {"--help"};
  for (const BoundFlag& flag : bound.flags)
    if (flag.available) names.push_back(FlagOf(flag.setting->key));
  return names;
}

void CheckExtras(const BoundCommand& bound) {
  const std::vector<std::string> extras = bound.app->remaining();
  if (extras.empty()) return;
  const std::string& first = extras.front();
  const std::string name = bound.command->name;
  if (!first.starts_with('-'))
    FailUsage(name + ": unexpected argument " + OneLine(first) + "; see vmstress " + name +
              " --help");
  const std::string flag = first.substr(0, first.find('='));
  FailUsage(name + ": unknown flag " + OneLine(flag) + DidYouMean(flag, FlagNames(bound)) +
            "; see vmstress " + name + " --help");
}

Invocation InvocationOf(const BoundCommand& bound) {
  Invocation invocation;
  invocation.command = bound.command;
  invocation.arguments = bound.arguments;
  for (const BoundFlag& flag : bound.flags) {
    if (flag.option->count() == 0) continue;
    const std::string name = FlagOf(flag.setting->key);
    if (!flag.available) FailNotAvailable(std::string(bound.command->name) + " " + name);
    if (flag.option->count() > 1) FailUsage(name + ": given more than once");
    const bool switched = flag.setting->type == ValueType::kBoolean;
    const std::string text = switched ? flag.option->results().front() : flag.text;
    invocation.flags.Set(flag.setting->key, ParseValue(*flag.setting, text, name), name);
  }
  return invocation;
}

// A command that is unknown, or known and not built yet.
void CheckCommandName(const std::string& name) {
  std::vector<std::string> names;
  for (const Command& command : AllCommands()) {
    if (command.run != nullptr) names.push_back(command.name);
    if (command.run == nullptr && name == command.name) FailNotAvailable("the command " + name);
  }
  if (name.starts_with('-'))
    FailUsage("unknown flag " + OneLine(name) + DidYouMean(name, {"--help", "--version"}) +
              "; flags come after a command: " + Join(names, ", "));
  FailUsage("unknown command " + OneLine(name) + "; accepted: " + Join(names, ", ") +
            DidYouMean(name, names));
}

constexpr char kOverview[] =
    "Stresses a user-space virtual-memory system: finds races, deadlocks, broken invariants and "
    "lost data.\n";
constexpr char kExamples[] =
    "\nExamples:\n"
    "  vmstress run                                     20 s of everything; the verdict is the "
    "last "
    "line\n"
    "  vmstress run --scenario=fork-storm --threads=8 --duration=1m\n"
    "  vmstress run --scenario=mine.toml --seed=7 --json=result.json\n"
    "  vmstress list scenarios                          what there is to run\n"
    "  vmstress run --help                              all flags of a command\n\n";

// CLI11 says "--seed: 1 required N missing" and "--seed: At Most 1 required but received 2".
std::string ExplainMismatch(const std::string& message, const std::list<BoundCommand>& commands) {
  const std::string flag = message.substr(0, message.find(':'));
  if (message.find("received") != std::string::npos) return flag + ": given more than once";
  for (const BoundCommand& command : commands)
    for (const BoundFlag& bound : command.flags)
      if (command.app->parsed() && FlagOf(bound.setting->key) == flag)
        return flag + ": its value is missing; accepted: " + Accepted(*bound.setting);
  return OneLine(message);
}

int ParseAndRun(int argc, char** argv) {
  CLI::App app(kOverview, "vmstress");
  app.footer(std::string(kExamples) + kExitCodes);
  app.set_version_flag("--version", VersionLine());
  app.allow_extras();
  std::list<BoundCommand> commands;
  Bind(&app, &commands);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ArgumentMismatch& error) {
    FailUsage(ExplainMismatch(error.what(), commands));
  } catch (const CLI::ParseError& error) {
    FailUsage(OneLine(error.what()));
  }
  if (argc < 2) {
    std::fputs(app.help().c_str(), stdout);
    return kExitClean;
  }
  for (BoundCommand& bound : commands) {
    if (!bound.app->parsed()) continue;
    if (const auto before = app.remaining(); !before.empty()) CheckCommandName(before.front());
    CheckExtras(bound);
    return bound.command->run(InvocationOf(bound));
  }
  CheckCommandName(app.remaining().empty() ? "" : app.remaining().front());
  return kExitUsage;
}

int Complain(const std::string& line, ExitCode code) {
  std::fprintf(stderr, "vmstress: %s\n", line.c_str());
  return code;
}

}  // namespace

int Main(int argc, char** argv) {
  PrepareStreams();
  try {
    int code = ParseAndRun(argc, argv);
    if (!FlushOutput() && code == kExitClean)
      code = Complain("standard output cannot be written", kExitCannotRun);
    // ThreadSanitizer would replace the exit code by its own; its reports are in ours already.
    if (std::string_view(BuildConfig()) == "tsan") {
      std::fflush(nullptr);
      _exit(code);
    }
    return code;
  } catch (const CommandError& error) {
    return Complain(error.what(), error.code());
  } catch (const std::bad_alloc&) {
    return Complain("the host has not enough memory for this", kExitCannotRun);
  } catch (const std::exception& error) {
    return Complain(OneLine(error.what()), kExitCannotRun);
  }
}

}  // namespace stress
