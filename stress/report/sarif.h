// Findings as SARIF 2.1.0 (OASIS), for the code scanning of forges and for editors: a rule of
// docs/rules.md each, both sides as locations and as the flow of the threads, the signature as
// fingerprint.
//
// Thread safety: pure functions.
#ifndef STRESS_REPORT_SARIF_H_
#define STRESS_REPORT_SARIF_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "stress/run/findings.h"

namespace stress {

// What the tool has to say about itself, beside results.
struct SarifNotice {
  const char* level;  // "warning", "note"
  std::string text;
};

// `command`: "lockorder". Paths of call sites are relative to the root of the sources, %SRCROOT%.
nlohmann::ordered_json SarifLog(const std::string& command,
                                const std::vector<CountedFinding>& findings,
                                const std::vector<SarifNotice>& notices);

}  // namespace stress

#endif  // STRESS_REPORT_SARIF_H_
