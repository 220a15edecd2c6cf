# What several scripts share; sourced, not run.

# A port of 127.0.0.1 that nobody listens on, below the range that outgoing connections take theirs from.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        grep -qi "$(printf ':%04X [0-9A-F]*:0000 0A' "$port")" /proc/net/tcp /proc/net/tcp6 2>/dev/null || break
    done
    echo "$port"
}

# Runs a program so that it does not outlive the script that started it, whatever ends that.
guarded() {
    if command -v setpriv >/dev/null; then exec setpriv --pdeathsig KILL "$@"; else exec "$@"; fi
}

# Prints a folder for PYTHONPATH that holds these packages of PyPI, in these versions; they are fetched once and kept in
# the user's cache. What is compiled for one Python is nothing to another.
python_packages() {
    local cache="${XDG_CACHE_HOME:-${HOME:?is not set}/.cache}/velokube" folder work
    if ! python3 -m pip --version >/dev/null 2>&1; then
        echo "python3 with pip is needed (apt-get install python3-pip)" >&2
        return 1
    fi
    folder="$*"
    folder="${folder//==/-}"
    folder="$cache/python-$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')-${folder// /-}"
    if [[ ! -d "$folder" ]]; then
        mkdir -p "$cache"
        work="$(mktemp -d "$cache/python.XXXXXX")"
        echo "fetching $* from PyPI, once" >&2
        if ! python3 -m pip install -q --only-binary :all: --target "$work/packages" "$@" >"$work/log" 2>&1 </dev/null; then
            tail -n 10 "$work/log" >&2
            echo "they could not be fetched" >&2
            rm -rf "$work"
            return 1
        fi
        # It appears whole or not at all; another run may have been first.
        mv -T "$work/packages" "$folder" 2>/dev/null || [[ -d "$folder" ]]
        rm -rf "$work"
    fi
    echo "$folder"
}

# Makes a certificate for a VCO at 127.0.0.1 by an authority of its own: vco.pem, vco.key and ca.pem in a folder.
make_vco_certificates() {
    (
        cd "$1"
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=velokube test CA' \
            -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign -keyout ca.key -out ca.pem
        openssl req -new -newkey rsa:2048 -nodes -subj /CN=vco -keyout vco.key -out vco.csr
        printf 'subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n' >extensions
        openssl x509 -req -in vco.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile extensions -out vco.pem
    ) 2>/dev/null
}
