// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/train/recipe_fields.h"

#include "client/project.h"
#include "client/recipe_draft.h"

#include <QCoreApplication>
#include <algorithm>
#include <limits>

namespace qw::ui {
namespace {

using records::Recipe;

QString tr(const char* text) { return QCoreApplication::translate("RecipeFields", text); }
QString utf(const char* text) { return QString::fromUtf8(text); }
constexpr double kAny = std::numeric_limits<double>::max();

struct Table {
    std::vector<RecipeField> rows;
    QString section;

    RecipeField& add(const char* name, const char* key, const QString& label, const QString& help, FieldKind kind) {
        rows.push_back({utf(name), section, utf(key), label, help, kind, {}, {}, {}, 0, 0, {}, {}});
        return rows.back();
    }
    // member: [](auto& recipe) -> auto& {…}, for reading and for writing.
    template<class F> RecipeField& integer(const char* name, const char* key, const QString& label, const QString& help, F member,
                                           double least, double most) {
        RecipeField& f = add(name, key, label, help, FieldKind::Integer);
        f.get = [member](const Recipe& r) { return QVariant(static_cast<qlonglong>(member(r))); };
        f.set = [member](Recipe& r, const QVariant& v) { member(r) = v.toLongLong(); };
        f.least = least;
        f.most = most;
        return f;
    }
    template<class F>
    RecipeField& real(const char* name, const char* key, const QString& label, const QString& help, F member, double least, double most) {
        RecipeField& f = add(name, key, label, help, FieldKind::Real);
        f.get = [member](const Recipe& r) { return QVariant(member(r)); };
        f.set = [member](Recipe& r, const QVariant& v) { member(r) = v.toDouble(); };
        f.least = least;
        f.most = most;
        return f;
    }
    template<class F> RecipeField& flag(const char* name, const char* key, const QString& label, const QString& help, F member) {
        RecipeField& f = add(name, key, label, help, FieldKind::Flag);
        f.get = [member](const Recipe& r) { return QVariant(member(r)); };
        f.set = [member](Recipe& r, const QVariant& v) { member(r) = v.toBool(); };
        return f;
    }
    template<class F> RecipeField& choice(const char* name, const char* key, const QString& label, const QString& help, F member,
                                          std::vector<FieldWord> words) {
        RecipeField& f = add(name, key, label, help, FieldKind::Choice);
        f.get = [member](const Recipe& r) { return QVariant(text(member(r))); };
        f.set = [member](Recipe& r, const QVariant& v) { member(r) = utf8(v.toString()); };
        f.words = std::move(words);
        return f;
    }
};

FieldWord word(const char* value, const QString& text) { return {utf(value), text}; }

void data(Table& t) {
    t.section = tr("Data");
    t.integer(
         "maxLength", "data.seq_len", tr("Sequence length"), tr("Tokens of one row; longer documents are treated as Excess says."),
         [](auto& r) -> auto& { return r.data.seqLen; }, 2, 1 << 22)
        .units(tr("tokens"), tr("token"));
    t.choice("packing", "data.packing", tr("Packing"), tr("How documents share a row. Greedy keeps their order; best fit wastes least."),
             [](auto& r) -> auto& { return r.data.packing; },
             {word("none", tr("none: one document a row")), word("greedy", tr("greedy: in order")), word("bfd", tr("best fit"))});
    t.choice("excess", "data.excess", tr("Excess"), tr("What happens to tokens beyond the sequence length."),
             [](auto& r) -> auto& { return r.data.excess; },
             {word("split", tr("split into rows")), word("truncate", tr("truncate")), word("drop", tr("drop the document")),
              word("error", tr("stop with an error"))});
    t.flag(
        "shuffle", "data.shuffle", tr("Shuffle"), tr("A new order of rows in every epoch, the same for the same seed."),
        [](auto& r) -> auto& { return r.data.shuffle; });
    t.flag(
        "dropLast", "data.drop_last", tr("Drop last"), tr("Leave out the last micro-batch of an epoch when it is not full."),
        [](auto& r) -> auto& { return r.data.dropLast; });
}

void budget(Table& t) {
    t.section = tr("Budget");
    t.real(
        "epochs", "train.epochs", tr("Epochs"), tr("Passes over the training text."), [](auto& r) -> auto& { return r.train.epochs; }, 0,
        kAny);
    auto& steps = t.integer(
        "maxSteps", "train.max_steps", tr("Steps"), tr("Optimizer updates; wins over epochs."),
        [](auto& r) -> auto& { return r.train.maxSteps; }, 0, 1e9);
    steps.words = {{0, tr("by epochs")}};
    t.integer(
         "trainBatch", "train.micro_batch", tr("Micro-batch"), tr("Rows of one forward pass. Memory grows with it."),
         [](auto& r) -> auto& { return r.train.microBatch; }, 1, 1 << 20)
        .units(tr("rows"), tr("row"));
    t.integer(
         "gradAccum", "train.grad_accum", tr("Accumulation"),
         tr("Micro-batches of one update: same effect as a larger batch, in less memory."),
         [](auto& r) -> auto& { return r.train.gradAccum; }, 1, 1 << 20)
        .units(tr("micro-batches"), tr("micro-batch"));
    auto& eval = t.integer(
        "evalBatch", "eval.batch", tr("Evaluation batch"), tr("Rows of one forward pass of the evaluation loss."),
        [](auto& r) -> auto& { return r.eval.batch; }, 0, 1 << 20);
    eval.words = {{0, tr("as in training")}};
    eval.units(tr("rows"), tr("row"));
}

void warmup(Table& t) {
    auto& ratio = t.real(
        "warmupRatio", "schedule.warmup_ratio", tr("Warm-up share"),
        tr("Share of all steps. Clears the warm-up steps: only one of the two counts."),
        [](auto& r) -> auto& { return r.schedule.warmupRatio; }, 0, 1);
    ratio.set = [](Recipe& r, const QVariant& v) {
        r.schedule.warmupRatio = v.toDouble();
        if (r.schedule.warmupRatio > 0) r.schedule.warmupSteps = 0;
    };
    auto& steps = t.integer(
        "warmupSteps", "schedule.warmup_steps", tr("Warm-up steps"), tr("A number of steps. Clears the share: only one of the two counts."),
        [](auto& r) -> auto& { return r.schedule.warmupSteps; }, 0, 1e9);
    steps.set = [](Recipe& r, const QVariant& v) {
        r.schedule.warmupSteps = v.toLongLong();
        if (r.schedule.warmupSteps > 0) r.schedule.warmupRatio = 0;
    };
    steps.words = {{0, tr("by share")}};
}

void optimizer(Table& t) {
    t.section = tr("Optimizer");
    t.choice("optimizer", "optim.name", tr("Optimizer"), tr("AdamW keeps two moments a weight, SGD one or none."),
             [](auto& r) -> auto& { return r.optim.name; }, {word("adamw", tr("AdamW")), word("sgd", tr("SGD"))});
    t.real(
        "learningRate", "optim.lr", tr("Learning rate"), tr("Published QAT recipes of large models use 1e-5 to 2e-5, small models more."),
        [](auto& r) -> auto& { return r.optim.lr; }, 0, kAny);
    t.choice("schedule", "schedule.name", tr("Schedule"), tr("How the learning rate falls over the run."),
             [](auto& r) -> auto& { return r.schedule.name; },
             {word("constant", tr("constant")), word("constant_warmup", tr("constant after warm-up")), word("linear", tr("linear to zero")),
              word("cosine", tr("cosine to zero")), word("cosine_min", tr("cosine to a floor")),
              word("wsd", tr("warm-up, stable, decay"))});
    warmup(t);
    t.real(
        "minLrRatio", "schedule.min_lr_ratio", tr("Floor"), tr("Last learning rate as a share of the highest."),
        [](auto& r) -> auto& { return r.schedule.minLrRatio; }, 0, 1);
    t.integer(
        "decaySteps", "schedule.decay_steps", tr("Decay steps"), tr("Steps of the last, falling part; about a tenth of all is usual."),
        [](auto& r) -> auto& { return r.schedule.decaySteps; }, 0, 1e9);
    t.real(
        "weightDecay", "optim.weight_decay", tr("Weight decay"),
        tr("Decoupled, as AdamW has it. Peers differ: torchtune 0.01, Hugging Face 0."),
        [](auto& r) -> auto& { return r.optim.weightDecay; }, 0, kAny);
    t.real(
        "momentum", "optim.momentum", tr("Momentum"), tr("Of SGD."), [](auto& r) -> auto& { return r.optim.momentum; }, 0, kAny);
    auto& clip =
        t.add("clipNorm", "optim.clip_norm", tr("Clip norm"),
              tr("Largest L2 norm of the whole gradient. “off” neither clips nor measures, “measure” only measures."), FieldKind::Real);
    clip.get = [](const Recipe& r) { return r.optim.clipNorm ? QVariant(*r.optim.clipNorm) : QVariant(); };
    clip.set = [](Recipe& r, const QVariant& v) { r.optim.clipNorm = v.isValid() ? std::optional<double>(v.toDouble()) : std::nullopt; };
    clip.words = {{QVariant(), tr("off")}, {std::numeric_limits<double>::infinity(), tr("measure")}};
    clip.least = std::numeric_limits<double>::min();
    clip.most = kAny;
}

void evaluation(Table& t) {
    t.section = tr("Evaluate and save");
    const QString cadence = tr("Steps, or below 1 a share of all steps.");
    auto& every = t.real(
        "evalSteps", "eval.every", tr("Evaluate every (steps)"),
        tr("Loss on the evaluation text. Independent of saving.") + QLatin1Char(' ') + cadence,
        [](auto& r) -> auto& { return r.eval.every; }, 0, kAny);
    every.words = {{0.0, tr("at the end")}};
    auto& save = t.real(
        "saveSteps", "checkpoint.every", tr("Save every (steps)"), tr("A checkpoint to resume from.") + QLatin1Char(' ') + cadence,
        [](auto& r) -> auto& { return r.checkpoint.every; }, 0, kAny);
    save.words = {{0.0, tr("at the end")}};
    t.integer(
         "saveTotalLimit", "checkpoint.keep", tr("Keep"), tr("Newest checkpoints that stay; the best one stays besides."),
         [](auto& r) -> auto& { return r.checkpoint.keep; }, 1, 100000)
        .units(tr("checkpoints"), tr("checkpoint"));
    t.flag(
        "loadBest", "checkpoint.best.load_at_end", tr("Load the best at the end"),
        tr("By evaluation loss. “Save every” must then be a multiple of “Evaluate every”, or the best state was never saved."),
        [](auto& r) -> auto& { return r.checkpoint.loadBestAtEnd; });
    auto& stop = t.integer(
        "earlyStopPatience", "early_stop.patience", tr("Stop early after"), tr("Evaluations in a row without a better loss."),
        [](auto& r) -> auto& { return r.earlyStopPatience; }, 0, 1e6);
    stop.words = {{0, tr("never")}};
    stop.units(tr("evaluations"), tr("evaluation"));
}

void memoryAndSeeds(Table& t) {
    t.section = tr("Memory and device");
    t.choice("precision", "precision.mode", tr("Precision"),
             tr("With AdamW float32 and bf16 with float32 masters take 16 bytes a weight; bf16 only takes 8, and loses small updates."),
             [](auto& r) -> auto& { return r.precision.mode; },
             {word("fp32", tr("float32")), word("bf16_master", tr("bf16, float32 masters")), word("bf16_pure", tr("bf16 only"))});
    t.choice("activationCheckpointing", "memory.activation_checkpointing", tr("Activation checkpointing"),
             tr("Keeps only each layer's input and computes the rest again: about a third more time, much less memory."),
             [](auto& r) -> auto& { return r.activationCheckpointing; }, {word("none", tr("off")), word("layer", tr("each layer"))});
    t.choice("device", "device", tr("Device"), tr("Automatic takes the first GPU that works, else the CPU."),
             [](auto& r) -> auto& { return r.device; },
             {word("auto", tr("automatic")), word("cpu", tr("CPU")), word("cuda", tr("GPU")), word("cuda:0", tr("GPU 0")),
              word("cuda:1", tr("GPU 1"))});
    t.section = tr("Seeds");
    auto& seeds = t.add("seeds", "seed", tr("Seeds"), tr("Whole numbers, separated by commas. Every seed is one more run of each scheme."),
                        FieldKind::Text);
    seeds.get = [](const Recipe& r) {
        QStringList all;
        for (const uint64_t seed : r.seeds) all << QString::number(seed);
        return QVariant(all.join(QStringLiteral(", ")));
    };
    seeds.set = [](Recipe& r, const QVariant& v) {
        std::vector<uint64_t> all;
        for (const QString& part : v.toString().split(QLatin1Char(','), Qt::SkipEmptyParts)) {
            bool good = false;
            const uint64_t seed = part.trimmed().toULongLong(&good);
            if (!good) return; // the editor shows what is still there
            if (std::ranges::find(all, seed) == all.end()) all.push_back(seed);
        }
        if (!all.empty()) r.seeds = std::move(all);
    };
}

void verdictAndReporting(Table& t) {
    t.section = tr("Verdict");
    t.choice("verdictMetric", "verdict.metric", tr("Metric"),
             tr("What decides. Automatic: HellaSwag's acc_norm when it is there, else the first task's main metric."),
             [](auto& r) -> auto& { return r.verdict.metric; }, {word("", tr("automatic"))});
    t.real(
        "verdictMaxLoss", "verdict.max_loss", tr("Largest loss"), tr("Percentage points for accuracies, percent for perplexities."),
        [](auto& r) -> auto& { return r.verdict.maxLoss; }, 0, kAny);
    t.section = tr("Reporting");
    t.integer(
         "logEvery", "log.every", tr("Log every"), tr("Loss, learning rate and speed."), [](auto& r) -> auto& { return r.logEvery; }, 1,
         1e9)
        .units(tr("steps"), tr("step"));
    auto& layers = t.integer(
        "layerEvery", "log.layer_every", tr("Layer statistics every"), tr("Quantization error of every layer, for the Live page."),
        [](auto& r) -> auto& { return r.layerEvery; }, 0, 1e9);
    layers.words = {{0, tr("never")}};
    layers.units(tr("steps"), tr("step"));
    t.flag(
        "telemetry", "log.telemetry", tr("Telemetry"), tr("Memory, clipping, scale drift. Stays on this machine."),
        [](auto& r) -> auto& { return r.telemetry; });
}

} // namespace

const std::vector<RecipeField>& recipeFields() {
    static const std::vector<RecipeField> fields = [] {
        Table t;
        data(t);
        budget(t);
        optimizer(t);
        evaluation(t);
        memoryAndSeeds(t);
        verdictAndReporting(t);
        return std::move(t.rows);
    }();
    return fields;
}

const RecipeField* findField(const QString& name) {
    const auto& fields = recipeFields();
    const auto at = std::ranges::find(fields, name, &RecipeField::name);
    return at == fields.end() ? nullptr : &*at;
}

QStringList sectionTitles() {
    QStringList titles;
    for (const RecipeField& field : recipeFields())
        if (!titles.contains(field.section)) titles << field.section;
    return titles;
}

QVariant defaultOf(const RecipeField& field) {
    static const Recipe fresh = RecipeDraft::fresh();
    return field.get(fresh);
}

bool isChanged(const RecipeField& field, const Recipe& recipe) { return field.get(recipe) != defaultOf(field); }

QString whyWithoutEffect(const RecipeField& field, const Recipe& recipe) {
    const auto is = [&](const char* name) { return field.name == QLatin1String(name); };
    const std::string& schedule = recipe.schedule.name;
    if (is("epochs") && recipe.train.maxSteps > 0) return tr("Steps decides. Set it to 0 to train by epochs.");
    if ((is("warmupRatio") || is("warmupSteps")) && schedule == "constant") return tr("A constant schedule has no warm-up.");
    if (is("minLrRatio") && schedule != "cosine_min" && schedule != "wsd")
        return tr("Only schedules with a floor use it: cosine to a floor, or warm-up, stable, decay.");
    if (is("decaySteps") && schedule != "wsd") return tr("Only warm-up, stable, decay uses it.");
    if (is("momentum") && recipe.optim.name != "sgd") return tr("Only SGD uses it.");
    return {};
}

QStringList verdictMetrics(const Recipe& recipe) {
    QStringList all{QString()};
    for (const auto& task : recipe.eval.tasks) {
        const QStringList metrics =
            task.mode == "hellaswag"
                ? QStringList{QStringLiteral("acc_norm"), QStringLiteral("acc")}
                : QStringList{QStringLiteral("word_perplexity"), QStringLiteral("byte_perplexity"), QStringLiteral("bits_per_byte")};
        for (const QString& metric : metrics) all << text(task.name) + QLatin1Char('.') + metric;
    }
    if (!recipe.data.eval.empty()) all << QStringLiteral("loss.perplexity") << QStringLiteral("loss.loss");
    const QString own = text(recipe.verdict.metric);
    if (!all.contains(own)) all << own;
    return all;
}

} // namespace qw::ui
