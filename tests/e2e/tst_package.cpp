// SPDX-License-Identifier: GPL-3.0-or-later
// What: the parts of a package, installed into a prefix: nothing twice, libraries found inside it, no way back to the build, documents
// whole. Limits: installation by a package manager, removal and the sample study from packages are installer/check-package's.
#include <QDir>
#include <QDirIterator>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QRegularExpression>
#include <QSet>
#include <QTemporaryDir>
#include <QTest>

namespace {

struct Answer {
    int code = -1; // -1: it did not end
    QString output;
};

Answer run(const QString& program, const QStringList& arguments, const QStringList& variables = {}) {
    QProcess process;
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    for (const QString& variable : variables)
        environment.insert(variable.section(QLatin1Char('='), 0, 0), variable.section(QLatin1Char('='), 1));
    process.setProcessEnvironment(environment);
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start(program, arguments);
    if (!process.waitForFinished(120'000)) return {};
    return {process.exitCode(), QString::fromUtf8(process.readAll())};
}

Answer install(const QString& component, const QString& prefix, const QStringList& variables = {}) {
    return run(QStringLiteral("cmake"),
               {QStringLiteral("--install"), QStringLiteral(QW_BIN_DIR "/.."), QStringLiteral("--component"), component,
                QStringLiteral("--prefix"), prefix},
               variables);
}

QStringList filesIn(const QString& folder) {
    QStringList files;
    QDirIterator each(folder, QDir::Files, QDirIterator::Subdirectories);
    while (each.hasNext()) files << QDir(folder).relativeFilePath(each.next());
    return files;
}

QByteArray contents(const QString& file) {
    QFile in(file);
    return in.open(QIODevice::ReadOnly) ? in.readAll() : QByteArray();
}

bool isProgramOrLibrary(const QString& file) {
    QFile in(file);
    return in.open(QIODevice::ReadOnly) && in.read(4) == QByteArray("\x7f"
                                                                    "ELF");
}

} // namespace

class PackageTest : public QObject {
    Q_OBJECT
    QTemporaryDir m_dir;
    QString m_workbench, m_engine; // prefixes; the engine's gets the other parts while the tests go on

private Q_SLOTS:
    void initTestCase() {
        QVERIFY(m_dir.isValid());
        m_workbench = m_dir.filePath(QStringLiteral("workbench"));
        m_engine = m_dir.filePath(QStringLiteral("all"));
        const auto engine = install(QStringLiteral("engine"), m_engine);
        QVERIFY2(engine.code == 0, qPrintable(engine.output));
        const auto workbench = install(QStringLiteral("workbench"), m_workbench);
        QVERIFY2(workbench.code == 0, qPrintable(workbench.output));
    }

    void noFileBelongsToTwoParts() {
        const auto workbench = filesIn(m_workbench), engine = filesIn(m_engine);
        const auto twice = QSet<QString>(workbench.begin(), workbench.end()) & QSet<QString>(engine.begin(), engine.end());
        QVERIFY2(twice.isEmpty(), qPrintable(QStringList(twice.values()).join(QLatin1Char(' '))));
        for (const char* name :
             {"bin/qat-workbench", "bin/qatw", "share/applications/qat-workbench.desktop", "share/mime/packages/qat-workbench.xml",
              "share/metainfo/qat-workbench.metainfo.xml", "share/icons/hicolor/scalable/apps/qat-workbench.svg",
              "share/qat-workbench/sample/study.yaml", "share/qat-workbench/guide/start.md", "share/man/man1/qatw.1.gz"})
            QVERIFY2(workbench.contains(QLatin1String(name)), name);
        for (const QString& file : engine)
            QVERIFY2(file.startsWith(QLatin1String("lib/qat-workbench/")) || file.startsWith(QLatin1String("share/")), qPrintable(file));
    }

    void librariesComeFromThePrefixOrTheSystem() {
        checkLibraries(m_engine, QStringLiteral("lib/qat-workbench"), {});
        checkLibraries(m_workbench, QStringLiteral("bin"), {});
    }

    // 3 GB: linked instead of copied, beside a copy of the engine's part.
    void cudaLibrariesFindEachOther() {
        const auto done = install(QStringLiteral("cuda"), m_engine, {QStringLiteral("CMAKE_INSTALL_MODE=ABS_SYMLINK")});
        QVERIFY2(done.code == 0, qPrintable(done.output));
        if (!QFile::exists(m_engine + QStringLiteral("/lib/qat-workbench/torch/lib/libtorch_cuda.so")))
            QSKIP("LibTorch's CUDA part is not in build/deps (installer/setup --cuda)");
        // The driver's own library is not ours to bring.
        checkLibraries(m_engine, QStringLiteral("lib/qat-workbench"), QStringLiteral("libcuda.so.1"));
        const auto text = contents(m_engine + QStringLiteral("/share/doc/qat-workbench-engine-cuda/copyright"));
        for (const char* licence : {"\nLicense: LibTorch\n", "\nLicense: NVIDIA-CUDA\n", "\nLicense: NVIDIA-cuDNN\n",
                                    "\nLicense: NVIDIA-cuSPARSELt\n", "\nLicense: NCCL\n"})
            QVERIFY2(text.contains(licence), licence);
        // As it was for the tests that follow.
        for (const QString& file : filesIn(m_engine))
            if (QFileInfo(m_engine + QLatin1Char('/') + file).isSymLink()) QVERIFY(QFile::remove(m_engine + QLatin1Char('/') + file));
    }

    void programsKnowNothingOfTheBuild() {
        for (const char* name : {"bin/qat-workbench", "bin/qatw"})
            QVERIFY2(!contents(m_workbench + QLatin1Char('/') + QLatin1String(name)).contains(QW_SOURCE_DIR), name);
    }

    void theInstalledToolFindsTheInstalledEngine() {
        const auto done = install(QStringLiteral("workbench"), m_engine);
        QVERIFY2(done.code == 0, qPrintable(done.output));
        const auto doctor = run(m_engine + QStringLiteral("/bin/qatw"), {QStringLiteral("doctor"), QStringLiteral("--json"),
                                                                         QStringLiteral("--project"), m_dir.filePath(QStringLiteral("p"))});
        const QJsonObject found = QJsonDocument::fromJson(doctor.output.toUtf8()).object();
        QVERIFY2(found.value(QLatin1String("ok")).toBool(), qPrintable(doctor.output));
        const QJsonObject engine = found.value(QLatin1String("checks")).toArray().at(1).toObject();
        QCOMPARE(engine.value(QLatin1String("text")).toString(),
                 QFileInfo(m_engine).canonicalFilePath() + QStringLiteral("/lib/qat-workbench/qat-engine"));
        const auto valid = run(m_engine + QStringLiteral("/bin/qatw"),
                               {QStringLiteral("validate"), m_engine + QStringLiteral("/share/qat-workbench/sample/study.yaml")});
        QVERIFY2(valid.code == 0, qPrintable(valid.output));
    }

    void documentsAreWhole() {
        const auto workbench = contents(m_workbench + QStringLiteral("/share/doc/qat-workbench/copyright"));
        const auto engine = contents(m_engine + QStringLiteral("/share/doc/qat-workbench-engine/copyright"));
        for (const char* licence : {"\nLicense: GPL-3+\n", "\nLicense: CLI11\n", "\nLicense: nlohmann-json\n"})
            QVERIFY2(workbench.contains(licence), licence);
        for (const char* licence : {"\nLicense: LibTorch\n", "\nLicense: LibTorch-notice\n", "\nLicense: NVIDIA-CUDA\n"})
            QVERIFY2(engine.contains(licence), licence);
        // Debian's format: a line of a text is indented, and an empty one is a dot.
        QVERIFY(engine.size() > 400'000);
        static const QRegularExpression heading(QStringLiteral("^([A-Z][A-Za-z-]*:.*| .*|)$"));
        for (const auto& text : {workbench, engine})
            for (const QString& line : QString::fromUtf8(text).split(QLatin1Char('\n')))
                QVERIFY2(heading.match(line).hasMatch() && (line.isEmpty() || !line.trimmed().isEmpty()), qPrintable(line));
        // The changelog is of the version that is built.
        const auto version =
            run(m_workbench + QStringLiteral("/bin/qatw"), {QStringLiteral("version")}).output.section(QLatin1Char(' '), 1, 1);
        const auto changelog = run(QStringLiteral("zcat"), {m_workbench + QStringLiteral("/share/doc/qat-workbench/changelog.gz")}).output;
        QVERIFY2(changelog.startsWith(QStringLiteral("qat-workbench (%1)").arg(version)), qPrintable(changelog));
        // The man page names every command.
        const auto help = run(m_workbench + QStringLiteral("/bin/qatw"), {QStringLiteral("--help")}).output;
        const auto page = run(QStringLiteral("zcat"), {m_workbench + QStringLiteral("/share/man/man1/qatw.1.gz")}).output;
        int commands = 0;
        static const QRegularExpression entry(QStringLiteral("^  ([a-z-]+)  +"), QRegularExpression::MultilineOption);
        for (auto each = entry.globalMatch(help); each.hasNext(); ++commands) {
            const QString name = each.next().captured(1).replace(QLatin1Char('-'), QStringLiteral("\\-"));
            QVERIFY2(page.contains(QStringLiteral("\n.B %1\n").arg(name)), qPrintable(name));
        }
        QVERIFY(commands >= 10);
        QVERIFY2(!page.contains(QLatin1Char('@')), qPrintable(page));
    }

private:
    // Every program and library under folder: what it asks for is there, ours in the prefix; run paths are relative.
    static void checkLibraries(const QString& prefix, const QString& folder, const QString& mayBeMissing) {
        int checked = 0;
        for (const QString& file : filesIn(prefix + QLatin1Char('/') + folder)) {
            const QString path = prefix + QLatin1Char('/') + folder + QLatin1Char('/') + file;
            if (!isProgramOrLibrary(path)) continue;
            ++checked;
            for (const QString& line : run(QStringLiteral("ldd"), {path}).output.split(QLatin1Char('\n'), Qt::SkipEmptyParts)) {
                const bool missing = line.contains(QLatin1String("not found"));
                if (missing && !mayBeMissing.isEmpty() && line.contains(mayBeMissing)) continue;
                QVERIFY2(!missing, qPrintable(file + line));
                const QString found = line.section(QStringLiteral(" => "), 1);
                QVERIFY2(found.isEmpty() || found.startsWith(QLatin1String("/lib")) || found.startsWith(QLatin1String("/usr/lib")) ||
                             found.startsWith(prefix),
                         qPrintable(file + line));
            }
            static const QRegularExpression runPath(QStringLiteral("\\((?:RPATH|RUNPATH)\\).*\\[(.*)\\]"));
            const auto match = runPath.match(run(QStringLiteral("readelf"), {QStringLiteral("-d"), path}).output);
            for (const QString& part : match.captured(1).split(QLatin1Char(':'), Qt::SkipEmptyParts))
                QVERIFY2(part.startsWith(QLatin1String("$ORIGIN")) || part.startsWith(QLatin1String("${ORIGIN}")), qPrintable(file + part));
        }
        QVERIFY(checked > 1);
    }
};

QTEST_GUILESS_MAIN(PackageTest)
#include "tst_package.moc"
