// The entry point of one libFuzzer binary; DEPLOYCTL_FUZZ_TARGET names the function.
#include "tests/fuzz/targets.hpp"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  deployctl::fuzz::DEPLOYCTL_FUZZ_TARGET(std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
