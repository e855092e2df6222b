// SPDX-License-Identifier: GPL-3.0-or-later
// What: the tree of a model's tensors: sums equal the files, numbers sort as numbers, patterns find names, verdicts are shown.
#include "client/project.h"
#include "models/model_tree.h"
#include "models/tree_filter.h"
#include "tiny_model.h"

#include <QAbstractItemModelTester>
#include <QSignalSpy>

using namespace qw;
using namespace qw::ui;

namespace {

using Model = std::shared_ptr<const checkpoint::Inspection>;

Model inspected(const std::filesystem::path& dir) {
    auto got = checkpoint::inspectFolder(dir, false);
    return got ? std::make_shared<const checkpoint::Inspection>(*std::move(got)) : nullptr;
}

struct Sums {
    qint64 bytes = 0, parameters = 0;
    int leaves = 0;
};
// Of the rows without children; what a parent says must be the sum of its children.
Sums sums(const QAbstractItemModel& model, const QModelIndex& above, bool& consistent) {
    Sums out;
    for (int row = 0; row < model.rowCount(above); ++row) {
        const QModelIndex at = model.index(row, 0, above);
        const qint64 bytes = at.siblingAtColumn(ModelTree::Bytes).data(ModelTree::SortRole).toLongLong();
        const qint64 parameters = at.siblingAtColumn(ModelTree::Parameters).data(ModelTree::SortRole).toLongLong();
        if (model.rowCount(at) == 0) {
            out.bytes += bytes;
            out.parameters += parameters;
            ++out.leaves;
            continue;
        }
        const Sums below = sums(model, at, consistent);
        consistent = consistent && below.bytes == bytes && below.parameters == parameters;
        out.bytes += below.bytes;
        out.parameters += below.parameters;
        out.leaves += below.leaves;
    }
    return out;
}

} // namespace

class ModelTreeTest : public QObject {
    Q_OBJECT
    test::TempDir m_dir;

private Q_SLOTS:
    void initTestCase() {
        const std::string config = test::tinyConfig("llama");
        QVERIFY(test::writeTinyModel(m_dir.path() / "one", config, test::tinyTensors(config, false)));
        QVERIFY(test::writeTinyModel(m_dir.path() / "four", config, test::tinyTensors(config, false, "BF16"), 4));
    }

    void sumsEqualTheFiles_data() {
        QTest::addColumn<QString>("folder");
        QTest::newRow("one file") << text((m_dir.path() / "one").string());
        QTest::newRow("four shards") << text((m_dir.path() / "four").string());
        QTest::newRow("sample") << QStringLiteral(QW_SOURCE_DIR "/resources/sample/model");
        if (!test::referenceData().empty()) QTest::newRow("stories260K") << text((test::referenceData() / "stories260K").string());
    }
    void sumsEqualTheFiles() {
        QFETCH(QString, folder);
        const Model model = inspected(utf8(folder));
        QVERIFY(model);
        ModelTree tree;
        const QAbstractItemModelTester tester(&tree, QAbstractItemModelTester::FailureReportingMode::Fatal);
        tree.show(model);
        qint64 files = 0;
        for (const auto& entry : std::filesystem::directory_iterator(utf8(folder)))
            if (entry.path().extension() == ".safetensors") files += qint64(entry.file_size());
        bool consistent = true;
        const Sums all = sums(tree, {}, consistent);
        QVERIFY(consistent);
        QCOMPARE(all.bytes, files);
        QCOMPARE(tree.totalBytes(), files);
        QCOMPARE(all.parameters, qint64(model->parameters));
        QCOMPARE(all.leaves, int(model->tensors.size() + model->shards.size()));
        for (const auto& t : model->tensors) {
            const QModelIndex at = tree.find(text(t.name));
            QVERIFY2(at.isValid() && tree.tensor(at) == &t, t.name.c_str());
        }
        tree.show(nullptr);
        QCOMPARE(tree.rowCount(), 0);
    }

    void layersStandInTheirOrder() {
        std::string config = test::tinyConfig("llama");
        const std::string two = "\"num_hidden_layers\":2";
        config.replace(config.find(two), two.size(), "\"num_hidden_layers\":12");
        QVERIFY(test::writeTinyModel(m_dir.path() / "deep", config, test::tinyTensors(config, false)));
        ModelTree tree;
        tree.show(inspected(m_dir.path() / "deep"));
        const QModelIndex layers = tree.find(QStringLiteral("model.layers.0.self_attn.q_proj.weight")).parent().parent().parent();
        QCOMPARE(layers.data().toString(), QStringLiteral("layers"));
        QCOMPARE(tree.rowCount(layers), 12);
        for (int i = 0; i < 12; ++i) QCOMPARE(tree.index(i, 0, layers).data().toString(), QString::number(i));
    }

    void numbersSortAsNumbers() {
        ModelTree tree;
        TreeFilter rows(ModelTree::FullNameRole, ModelTree::SortRole);
        const QAbstractItemModelTester tester(&rows, QAbstractItemModelTester::FailureReportingMode::Fatal);
        rows.setSourceModel(&tree);
        tree.show(inspected(m_dir.path() / "one"));
        for (const auto order : {Qt::AscendingOrder, Qt::DescendingOrder}) {
            rows.sort(ModelTree::Bytes, order);
            qint64 before = order == Qt::AscendingOrder ? -1 : std::numeric_limits<qint64>::max();
            for (int row = 0; row < rows.rowCount(); ++row) {
                const qint64 bytes = rows.index(row, ModelTree::Bytes).data(ModelTree::SortRole).toLongLong();
                QVERIFY(order == Qt::AscendingOrder ? bytes >= before : bytes <= before);
                before = bytes;
            }
            // Where there is nothing to sort by stays last, both ways.
            rows.sort(ModelTree::Type, order);
            bool missing = false;
            for (int row = 0; row < rows.rowCount(); ++row) {
                const bool none = !rows.index(row, ModelTree::Type).data(ModelTree::SortRole).isValid();
                QVERIFY(!missing || none);
                missing = none;
            }
        }
    }

    void patterns_data() {
        QTest::addColumn<QString>("pattern");
        QTest::addColumn<int>("matches");
        QTest::newRow("none") << QString() << -1;
        QTest::newRow("part") << QStringLiteral("k_proj") << 2;
        QTest::newRow("module") << QStringLiteral("*.k_proj") << 2;
        QTest::newRow("tensor") << QStringLiteral("*.k_proj.weight") << 2;
        QTest::newRow("layer") << QStringLiteral("model.layers.1.*") << 9;
        QTest::newRow("one letter") << QStringLiteral("*.layers.?.mlp.up_proj") << 2;
        QTest::newRow("nothing") << QStringLiteral("*.quux") << 0;
    }
    void patterns() {
        QFETCH(QString, pattern);
        QFETCH(int, matches);
        const Model model = inspected(m_dir.path() / "one");
        ModelTree tree;
        TreeFilter rows(ModelTree::FullNameRole, ModelTree::SortRole);
        const QAbstractItemModelTester tester(&rows, QAbstractItemModelTester::FailureReportingMode::Fatal);
        rows.setSourceModel(&tree);
        tree.show(model);
        rows.setPattern(pattern);
        QCOMPARE(rows.matches(), matches < 0 ? int(model->tensors.size() + model->shards.size()) : matches);
    }

    void verdictsAreShown() {
        ModelTree tree;
        const QAbstractItemModelTester tester(&tree, QAbstractItemModelTester::FailureReportingMode::Fatal);
        tree.show(inspected(m_dir.path() / "one"));
        const QString name = QStringLiteral("model.layers.0.mlp.up_proj.weight");
        const QModelIndex at = tree.find(name).siblingAtColumn(ModelTree::Quantizes);
        QVERIFY(!at.data(ModelTree::CanRole).isValid());
        QSignalSpy changed(&tree, &QAbstractItemModel::dataChanged);
        tree.setVerdicts({{name, {false, QStringLiteral("127 columns: no group size divides")}}});
        QVERIFY(!changed.isEmpty());
        QCOMPARE(at.data().toString(), QStringLiteral("127 columns: no group size divides"));
        QCOMPARE(at.data(ModelTree::CanRole).toBool(), false);
    }
};

QTEST_GUILESS_MAIN(ModelTreeTest)
#include "tst_model_tree.moc"
