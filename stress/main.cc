#include "stress/command/command_line.h"

int main(int argc, char** argv) { return stress::Main(argc, argv); }
