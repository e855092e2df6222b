// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/control_socket.h"

#include "base/clock.h"
#include "base/files.h"
#include "wire/outbound_queue.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

namespace qw::drive {

struct ControlSocket::State {
    struct Client {
        std::unique_ptr<wire::Transport> transport;
        wire::MessageReader reader;
        wire::OutboundQueue queue;
        bool greeted = false, gone = false;
    };
    std::filesystem::path path;
    int fd = -1;
    std::vector<std::unique_ptr<Client>> clients;

    ~State() {
        if (fd < 0) return;
        ::close(fd);
        ::unlink(path.c_str());
    }

    void accept() {
        for (;;) {
            const int peerFd = ::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
            if (peerFd < 0) return;
            ucred peer{};
            socklen_t size = sizeof peer;
            if (::getsockopt(peerFd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || (peer.uid != ::geteuid() && peer.uid != 0)) {
                ::close(peerFd);
                continue;
            }
            auto client = std::make_unique<Client>();
            client->transport = wire::fdTransport(peerFd, peerFd);
            client->queue.push(wire::Event{"", 0, wallMs(), monotonicNs(), wire::engineHello()}, monotonicNs());
            clients.push_back(std::move(client));
        }
    }

    static void serve(Client& client, const Handler& handle) {
        std::string bytes;
        const auto got = client.transport->read(bytes);
        client.reader.feed(bytes);
        while (auto message = client.reader.next()) {
            const auto* request = *message ? std::get_if<wire::Request>(&**message) : nullptr;
            if (!request) continue;
            if (request->op == "hello") {
                const auto fits = wire::checkHelloRequest(*request);
                client.greeted = fits.ok();
                client.queue.push(fits ? wire::okResponse(request->id) : wire::errorResponse(request->id, fits.error()));
            } else if (!client.greeted)
                client.queue.push(
                    wire::errorResponse(request->id, Error{"engine.state", "the first request must be hello", "", "", false}));
            else {
                auto result = handle(request->op, request->params);
                client.queue.push(result ? wire::okResponse(request->id, *std::move(result))
                                         : wire::errorResponse(request->id, result.error()));
            }
        }
        if (!client.queue.pump(*client.transport) || !got || client.reader.closed()) client.gone = true;
    }
};

ControlSocket::ControlSocket(std::unique_ptr<State> state) : m_state(std::move(state)) {}
ControlSocket::ControlSocket(ControlSocket&&) noexcept = default;
ControlSocket::~ControlSocket() = default;

Result<ControlSocket> ControlSocket::listen(const std::filesystem::path& socket) {
    auto state = std::make_unique<State>();
    ::unlink(socket.c_str()); // ours: study.lock is held
    const int dir = ::open(socket.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) return errnoError(errno, "open", socket.parent_path());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = "/proc/self/fd/" + std::to_string(dir) + "/" + socket.filename().string();
    name.copy(address.sun_path, sizeof address.sun_path - 1);
    state->fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const mode_t before = ::umask(0177);
    const bool bound =
        state->fd >= 0 && ::bind(state->fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 && ::listen(state->fd, 8) == 0;
    const int why = errno;
    ::umask(before);
    ::close(dir);
    state->path = socket;
    if (!bound) return errnoError(why, "listen on", socket);
    return ControlSocket(std::move(state));
}

void ControlSocket::poll(const Handler& handle) {
    m_state->accept();
    for (const auto& client : m_state->clients) State::serve(*client, handle);
    std::erase_if(m_state->clients, [](const auto& client) { return client->gone; });
}

} // namespace qw::drive
