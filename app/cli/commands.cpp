// SPDX-License-Identifier: GPL-3.0-or-later
#include "commands.h"

#include <array>

namespace qw::cli {

int cmdBench(CommandLine& line);
int cmdCheckpoint(CommandLine& line);
int cmdCompare(CommandLine& line);
int cmdDoctor(CommandLine& line);
int cmdEval(CommandLine& line);
int cmdExport(CommandLine& line);
int cmdExtend(CommandLine& line);
int cmdFakeQuantize(CommandLine& line);
int cmdGenerate(CommandLine& line);
int cmdImport(CommandLine& line);
int cmdInspect(CommandLine& line);
int cmdLogits(CommandLine& line);
int cmdMeasure(CommandLine& line);
int cmdPause(CommandLine& line);
int cmdPlan(CommandLine& line);
int cmdPtq(CommandLine& line);
int cmdResume(CommandLine& line);
int cmdRun(CommandLine& line);
int cmdRuns(CommandLine& line);
int cmdSeries(CommandLine& line);
int cmdSet(CommandLine& line);
int cmdShow(CommandLine& line);
int cmdStop(CommandLine& line);
int cmdStore(CommandLine& line);
int cmdTokenize(CommandLine& line);
int cmdValidate(CommandLine& line);
int cmdVersion(CommandLine& line);

namespace {
constexpr std::array kCommands{
    Command{"bench", "measures this machine against the gates, and against the peers where Python is at hand",
            "qatw bench store_ingest --json", cmdBench},
    Command{"checkpoint", "write a checkpoint of a running run now", "qatw checkpoint 01J8ZQ", cmdCheckpoint},
    Command{"compare", "the table: what each scheme costs, what QAT wins back, which to ship",
            "qatw compare --project build/try --markdown", cmdCompare},
    Command{"doctor", "is everything in place: engine, LibTorch, devices, kernels, disk, limits", "qatw doctor", cmdDoctor},
    Command{"eval", "score a model on HellaSwag, WikiText or own texts, as lm-evaluation-harness does",
            "qatw eval path/to/model --task hellaswag=hellaswag_val.jsonl --limit 200", cmdEval},
    Command{"export", "write a run's weights for other programs and prove the files", "qatw export 01J8ZQ --format hf --out folder",
            cmdExport},
    Command{"extend", "train a run for more steps, as a new run beside it", "qatw extend 01J8ZQ --steps 200", cmdExtend},
    Command{"fake-quantize", "every 2-D tensor of a file through a scheme's fake quantizer",
            "qatw fake-quantize model.safetensors out.safetensors --scheme 8da4w --set weight.group_size=64", cmdFakeQuantize},
    Command{"generate", "continue a text: greedy or sampled, word by word",
            "qatw generate path/to/model --prompt 'Once upon a time' --temperature 0.8 --seed 7", cmdGenerate},
    Command{"import", "results that others published, as rows of a comparison", "qatw import published.csv --project build/try", cmdImport},
    Command{"inspect", "what a model folder is: architecture, sizes, dtype, tokenizer, problems", "qatw inspect path/to/model --tensors",
            cmdInspect},
    Command{"logits", "a model's logits for given token ids", "qatw logits path/to/model --ids ids.json --out logits.safetensors",
            cmdLogits},
    Command{"measure", "evaluate finished runs on the tasks that other runs have and they lack", "qatw measure 01J8ZQ --like 01J9AB",
            cmdMeasure},
    Command{"pause", "halt a run or study; it keeps its memory", "qatw pause 01J8ZQ", cmdPause},
    Command{"plan", "steps, tokens, memory and time of a recipe before it runs", "qatw plan recipe.yaml", cmdPlan},
    Command{"ptq", "quantize a model without training and write the quantized folder",
            "qatw ptq path/to/model --scheme 8da4w --set weight.group_size=32 --out quantized", cmdPtq},
    Command{"resume", "let a paused run go on, or start an interrupted one again", "qatw resume 01J8ZQ --from 400", cmdResume},
    Command{"run", "run a recipe's study, or continue it; prints the table", "qatw run recipe.yaml --project build/try", cmdRun},
    Command{"runs", "the runs of a project and how they stand", "qatw runs --study which-scheme", cmdRuns},
    Command{"series", "what was measured step by step", "qatw series 01J8ZQ train.loss --csv", cmdSeries},
    Command{"set", "change how often a running run logs, evaluates and saves", "qatw set 01J8ZQ checkpoint.every=50 eval.every=100",
            cmdSet},
    Command{"show", "one run: facts, layers, results, files, warnings", "qatw show 01J8ZQ", cmdShow},
    Command{"stop", "end a run or study after a checkpoint; run it again to continue", "qatw stop 01J8ZQ", cmdStop},
    Command{"store", "checks, rebuilds or copies a project's store", "qatw store backup safe.qatw --project build/try", cmdStore},
    Command{"tokenize", "text to token ids and back, as the tokenizers package does it",
            "qatw tokenize path/to/model --text 'Once upon a time'", cmdTokenize},
    Command{"validate", "what is wrong with a recipe, and what it would run",
            "qatw validate recipe.yaml --set train.max_steps=20 --resolved", cmdValidate},
    Command{"version", "versions of the tool and its build", "qatw version --json", cmdVersion},
};
} // namespace

std::span<const Command> commands() { return kCommands; }

} // namespace qw::cli
