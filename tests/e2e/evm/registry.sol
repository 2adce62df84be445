// SPDX-FileCopyrightText: The Veil authors
// SPDX-License-Identifier: Apache-2.0
// The TEE registry as far as a client calls it (protocol.md section 1), for the tests: anyone may change it.
pragma solidity ^0.8.20;

struct OHTTPConfig {
  uint8 keyId;
  uint16 kemId;
  uint16 kdfId;
  uint16 aeadId;
  bytes publicKey;
  bytes keyConfig;
  uint256 registeredAt;
}

struct TEEInfo {
  address owner;
  address paymentAddress;
  string endpoint;
  bytes publicKey;
  bytes tlsCertificate;
  bytes32 pcrHash;
  uint8 teeType;
  bool enabled;
  uint256 registeredAt;
  uint256 lastHeartbeatAt;
  OHTTPConfig ohttpConfig;
}

struct PCRInfo {
  bool active;
  uint8 teeType;
  uint256 approvedAt;
  string version;
}

struct PCRKey {
  bytes32 pcrHash;
  uint8 teeType;
}

// Without the optional calls: every PCR counts as approved.
contract PlainRegistry {
  TEEInfo[] internal tees;
  mapping(bytes32 => uint256) internal places; // from 1

  function add(TEEInfo memory info) external {
    tees.push(info);
    places[keccak256(info.publicKey)] = tees.length;
  }

  function setEnabled(bytes32 id, bool enabled) external {
    tees[places[id] - 1].enabled = enabled;
  }

  function isApproved(uint8, bytes32) internal view virtual returns (bool) {
    return true;
  }

  function active(TEEInfo storage info) internal view returns (bool) {
    return info.enabled && isApproved(info.teeType, info.pcrHash) && block.timestamp <= info.lastHeartbeatAt + 1800;
  }

  function getActiveTEEs(uint8 teeType) external view virtual returns (TEEInfo[] memory found) {
    uint256 count;
    for (uint256 i = 0; i < tees.length; i++)
      if (tees[i].teeType == teeType && active(tees[i])) count++;
    found = new TEEInfo[](count);
    count = 0;
    for (uint256 i = 0; i < tees.length; i++)
      if (tees[i].teeType == teeType && active(tees[i])) found[count++] = tees[i];
  }

  function getEnabledTEEs(uint8 teeType) external view returns (bytes32[] memory ids) {
    uint256 count;
    for (uint256 i = 0; i < tees.length; i++)
      if (tees[i].teeType == teeType && tees[i].enabled) count++;
    ids = new bytes32[](count);
    count = 0;
    for (uint256 i = 0; i < tees.length; i++)
      if (tees[i].teeType == teeType && tees[i].enabled) ids[count++] = keccak256(tees[i].publicKey);
  }

  function getTEE(bytes32 id) external view returns (TEEInfo memory) {
    require(places[id] != 0, "no such TEE");
    return tees[places[id] - 1];
  }

  function isTEEActive(bytes32 id) external view returns (bool) {
    return places[id] != 0 && active(tees[places[id] - 1]);
  }
}

contract Registry is PlainRegistry {
  PCRKey[] internal approved;
  mapping(uint8 => mapping(bytes32 => PCRInfo)) public approvedPCRs;

  function approve(uint8 teeType, bytes32 pcrHash, string calldata version) external {
    approved.push(PCRKey(pcrHash, teeType));
    approvedPCRs[teeType][pcrHash] = PCRInfo(true, teeType, block.timestamp, version);
  }

  function isApproved(uint8 teeType, bytes32 pcrHash) internal view override returns (bool) {
    return approvedPCRs[teeType][pcrHash].active;
  }

  function getApprovedPCRs() external view returns (PCRKey[] memory) {
    return approved;
  }
}

contract RevertingRegistry is PlainRegistry {
  function getActiveTEEs(uint8) external pure override returns (TEEInfo[] memory) {
    revert("the registry is paused");
  }
}

// Has the optional calls, and they revert.
contract HalfRegistry is PlainRegistry {
  function getApprovedPCRs() external pure returns (PCRKey[] memory) {
    revert("not here");
  }

  function approvedPCRs(uint8, bytes32) external pure returns (bool, uint8, uint256, string memory) {
    revert("nor here");
  }
}
