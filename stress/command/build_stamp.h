// The commit that the build was told of. Defined in a file that is compiled at link time, so that a
// new commit alone rebuilds nothing.
#ifndef STRESS_COMMAND_BUILD_STAMP_H_
#define STRESS_COMMAND_BUILD_STAMP_H_

namespace stress {

extern const char kBuildCommit[];

}  // namespace stress

#endif  // STRESS_COMMAND_BUILD_STAMP_H_
