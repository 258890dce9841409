// The standard streams of the process, whatever whoever started it made of them.
#ifndef STRESS_HOST_STREAMS_H_
#define STRESS_HOST_STREAMS_H_

namespace stress {

// For the whole process, first of all. Closed standard descriptors are occupied, so that no file
// that is opened later takes what is printed; a reader that went away and a file that grew too
// large become errors of the write instead of signals.
void PrepareStreams();

// Ends the output. False: some of it could not be written, though somebody reads it.
bool FlushOutput();

}  // namespace stress

#endif  // STRESS_HOST_STREAMS_H_
