// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice A token that misbehaves as told. Only what the escrow and the operators' contract call.
contract HostileToken {
    enum Mode {
        HONEST,
        RETURNS_FALSE, // and moves nothing
        RETURNS_NOTHING, // but moves, as the oldest stablecoins do
        TAKES_A_FEE, // one percent of every transfer
        GIVES_MORE, // one percent beyond every transfer
        PAUSED, // reverts
        CALLS_BACK // into `target` before it moves
    }

    Mode public mode;
    mapping(address owner => uint256) public balanceOf;
    mapping(address owner => mapping(address spender => uint256)) public allowance;
    mapping(address owner => bool) public refused;

    address public target;
    bytes public call_;
    uint256 public calls;
    bool public callSucceeded;
    bytes public answer;

    function set(Mode mode_) external {
        mode = mode_;
    }

    function refuse(address owner, bool refused_) external {
        refused[owner] = refused_;
    }

    function callBack(address target_, bytes calldata data) external {
        (mode, target, call_) = (Mode.CALLS_BACK, target_, data);
        calls = 0;
    }

    /// @notice As a token that rebases: what `owner` has changes without a transfer.
    function rebase(address owner, uint256 balance) external {
        balanceOf[owner] = balance;
    }

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
    }

    function approve(address spender, uint256 amount) external returns (bool) {
        allowance[msg.sender][spender] = amount;
        return true;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        return _move(msg.sender, to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) external returns (bool) {
        allowance[from][msg.sender] -= amount;
        return _move(from, to, amount);
    }

    /// @dev Accepts any permit and any authorization without doing anything, as a token with a fallback would.
    fallback() external {}

    function _move(address from, address to, uint256 amount) private returns (bool) {
        require(!refused[from] && !refused[to], "refused");
        require(mode != Mode.PAUSED, "paused");
        if (mode == Mode.RETURNS_FALSE) return false;
        if (mode == Mode.CALLS_BACK) {
            ++calls;
            (callSucceeded, answer) = target.call(call_);
        }
        balanceOf[from] -= amount;
        balanceOf[to] += amount;
        if (mode == Mode.TAKES_A_FEE) balanceOf[to] -= amount / 100;
        if (mode == Mode.GIVES_MORE) balanceOf[to] += amount / 100;
        if (mode == Mode.RETURNS_NOTHING) {
            assembly ("memory-safe") {
                return(0, 0)
            }
        }
        return true;
    }
}
