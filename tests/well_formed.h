// What a drawing must be whatever it shows.
#ifndef TESTS_WELL_FORMED_H_
#define TESTS_WELL_FORMED_H_

#include <string>

// Every element is closed in order and no text holds a bare '&' or '<'.
void ExpectWellFormed(const std::string& xml);

#endif  // TESTS_WELL_FORMED_H_
