namespace stress {

#ifndef BUILD_SCM_REVISION
#define BUILD_SCM_REVISION "unknown"
#endif

extern const char kBuildCommit[];
const char kBuildCommit[] = BUILD_SCM_REVISION;

}  // namespace stress
