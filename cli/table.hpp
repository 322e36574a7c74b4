// Columns for people: cells padded to the widest, two spaces between, the last column not padded.
#pragma once

#include <string>
#include <vector>

namespace deployctl::cli {

// The first row is the heading. Widths are those of a terminal, so Chinese lines up too.
std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace deployctl::cli
