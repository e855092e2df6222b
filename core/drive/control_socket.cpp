// SPDX-License-Identifier: GPL-3.0-or-later
#include "drive/control_socket.h"

#include "base/clock.h"
#include "wire/local_socket.h"
#include "wire/outbound_queue.h"

#include <vector>

namespace qw::drive {

struct ControlSocket::State {
    struct Client {
        std::unique_ptr<wire::Transport> transport;
        wire::MessageReader reader;
        wire::OutboundQueue queue;
        bool greeted = false, gone = false;
    };
    wire::LocalListener listener;
    std::vector<std::unique_ptr<Client>> clients;

    void accept() {
        while (auto transport = listener.accept()) {
            auto client = std::make_unique<Client>();
            client->transport = std::move(transport);
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
    QW_TRY(auto listener, wire::LocalListener::listen(socket));
    return ControlSocket(std::make_unique<State>(State{std::move(listener), {}}));
}

void ControlSocket::poll(const Handler& handle) {
    m_state->accept();
    for (const auto& client : m_state->clients) State::serve(*client, handle);
    std::erase_if(m_state->clients, [](const auto& client) { return client->gone; });
}

} // namespace qw::drive
