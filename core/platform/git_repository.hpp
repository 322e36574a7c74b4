// The git repository the project lies in, read through libgit2: no hook, filter program or submodule of the repository
// is run or entered, nothing is fetched and nothing is written.
#pragma once

#include "core/io/git.hpp"

namespace deployctl::platform {

class Libgit2Repository : public io::GitRepository {
 public:
  base::Result<io::Commit> head(const std::string& directory) override;
  base::Result<io::CommitComparison> compare(const std::string& directory, const std::string& commit,
                                             const std::string& other) override;
};

// A remote's address without user name and password: "https://git.example.com/shop/api.git". The user name of an ssh
// address stays, it is part of where the repository is: "git@github.com:shop/api.git".
std::string without_credentials(std::string_view remote_url);

}  // namespace deployctl::platform
