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

// Where people find the repository behind a remote, the same however the remote is spelled: "https://host/shop/api" for
// "git@host:shop/api.git" and "https://ada:token@host/shop/api". Plain http stays where a port is named. Empty for a
// path of this machine, and for what is no address.
std::string public_address(std::string_view remote_url);

}  // namespace deployctl::platform
