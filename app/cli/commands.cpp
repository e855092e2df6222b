// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands.h"

#include <array>

namespace qw::cli {

int cmdTokenize(CommandLine& line);
int cmdValidate(CommandLine& line);
int cmdVersion(CommandLine& line);

namespace {
constexpr std::array kCommands{
    Command{"tokenize", "text to token ids and back, as the tokenizers package does it", "qatw tokenize path/to/model --text 'Once upon a time'",
            cmdTokenize},
    Command{"validate", "what is wrong with a recipe, and what it would run", "qatw validate recipe.yaml --set train.max_steps=20 --resolved", cmdValidate},
    Command{"version", "versions of the tool and its build", "qatw version --json", cmdVersion},
};
} // namespace

std::span<const Command> commands() { return kCommands; }

} // namespace qw::cli
