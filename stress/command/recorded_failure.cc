#include "stress/command/recorded_failure.h"

#include "stress/config/error.h"
#include "stress/config/setting.h"
#include "stress/config/text.h"

namespace stress {

namespace explore = locking::explore;

explore::Failure ReadFailure(const std::string& text, const std::string& path) {
  explore::Failure failure;
  std::string error;
  if (!explore::ParseFailure(text, &failure, &error))
    FailUsage(OneLine(path) + ": " + OneLine(error));
  return failure;
}

Settings FlagsOf(const explore::Failure& failure, const std::string& path) {
  Settings flags;
  for (const auto& [key, text] : failure.with) {
    const Setting* setting = FindSetting(key, kExploreCommand);
    if (setting == nullptr) FailUsage(OneLine(path) + ": unknown parameter " + OneLine(key));
    const std::string where = OneLine(path) + ": " + setting->key;
    flags.Set(setting->key, ParseValue(*setting, text, where), where);
  }
  return flags;
}

}  // namespace stress
